"""Trying again: how often, how long, and what people are told while we wait."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import sleep, time
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.stop import stop_before_delay
from tenacity.wait import wait_exponential_jitter

from sync_core.foundation.errors import SyncError

T = TypeVar("T")
OnWait = Callable[[str], None]


@dataclass(frozen=True)
class Patience:
    """How long a server may keep us waiting; all in seconds, but `attempts`."""

    attempts: int = 4
    first: float = 1.0  # before the second attempt; doubles, with jitter
    longest: float = 62.0  # of one wait, whatever the server asks; quotas refill each minute
    deadline: float = 300.0  # no attempt begins after it
    unsaid: float = 2.0  # nobody is told of a wait as short as this


@dataclass(frozen=True)
class Asking:
    """How a source asks its server: as whom people know it, how patiently, and who is told."""

    server: str  # "Google"
    patience: Patience
    on_wait: OnWait
    sleep: Callable[[float], None] = sleep

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it answers, gives up, or raises what is not worth retrying.

        An attempt raises SyncError; a fact `after` is the wait in seconds that its server named.
        """
        return Retrying(
            retry=retry_if_exception(_worth_retrying),
            sleep=self.sleep,
            wait=self._wait,
            stop=stop_after_attempt(self.patience.attempts)
            | stop_before_delay(self.patience.deadline),
            before_sleep=self._tell,
            reraise=True,
        )(attempt)

    def _wait(self, state: RetryCallState) -> float:
        named = _error(state).facts.get("after")
        if named is None:
            first, longest = self.patience.first, self.patience.longest
            named = wait_exponential_jitter(multiplier=first, max=longest, jitter=first)(state)
        return float(min(named, self.patience.longest))

    def _tell(self, state: RetryCallState) -> None:
        seconds = state.upcoming_sleep
        if seconds <= self.patience.unsaid:
            return
        if "after" in _error(state).facts:
            self.on_wait(f"{self.server} asks us to wait {seconds:.0f} s")
        else:
            self.on_wait(f"{self.server} does not answer, trying again in {seconds:.0f} s")


def _worth_retrying(error: BaseException) -> bool:
    return isinstance(error, SyncError) and error.entry.retry


def _error(state: RetryCallState) -> SyncError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, SyncError)  # noqa: S101 - nothing else is tried again
    return error


def retry_after(header: str | None) -> dict[str, float]:
    """Read a Retry-After header (seconds or a date) as the fact `after`; empty if there is none."""
    if not header:
        return {}
    try:
        return {"after": max(0.0, float(header))}
    except ValueError:
        pass
    try:
        return {"after": max(0.0, parsedate_to_datetime(header).timestamp() - time())}
    except ValueError:
        return {}
