"""Retries of requests: how often, how long, and what is reported while we wait."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import sleep, time
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception
from tenacity.stop import stop_before_delay
from tenacity.wait import wait_exponential_jitter

from sync_core.foundation.errors import SyncError

LONGEST_WAIT = 86_400.0  # seconds that a server may ask for; who says more counts otherwise

T = TypeVar("T")
OnWait = Callable[[str], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is tried, and how long we wait in between, in seconds."""

    attempts: int = 4
    outage_attempts: int = 10  # where the server itself says that it is busy, or out of order
    first_wait: float = 1.0  # before the second attempt; doubles, with jitter
    longest_wait: float = 62.0  # whatever the server asks for; quotas refill each minute
    deadline: float = 300.0  # no attempt begins after it
    unreported: float = 2.0  # a wait up to this length is not reported


@dataclass(frozen=True)
class Retrier:
    """Calls a server again while that may help, and reports longer waits to `on_wait`."""

    server: str  # its name in sentences: "Google"
    policy: RetryPolicy
    on_wait: OnWait
    sleep: Callable[[float], None] = sleep
    only: str | None = None  # the code of the errors that are retried; None: as the catalogue says

    def __call__(self, attempt: Callable[[], T]) -> T:
        """Call `attempt` until it returns, and return its result.

        An attempt raises SyncError; its `retry_after` is the wait in seconds that the server asked
        for, if it did, its `pause` one that we know of. Raises the last error when no attempts are
        left, and at once one whose entry in the catalogue of errors says that a retry does not
        help. An outage is waited out for longer than what else may pass.
        """
        return Retrying(
            retry=retry_if_exception(self._may_be_retried),
            sleep=self.sleep,
            wait=self._wait,
            stop=self._gives_up,
            before_sleep=self._report,
            reraise=True,
        )(attempt)

    def _may_be_retried(self, error: BaseException) -> bool:
        if not isinstance(error, SyncError):
            return False
        return error.entry.retry if self.only is None else error.code == self.only

    def _gives_up(self, state: RetryCallState) -> bool:
        outage = _error(state).entry.outage
        attempts = self.policy.outage_attempts if outage else self.policy.attempts
        too_late = stop_before_delay(self.policy.deadline)(state)
        return too_late or state.attempt_number >= attempts

    def _wait(self, state: RetryCallState) -> float:
        error = _error(state)
        seconds = error.pause if error.retry_after is None else error.retry_after
        if seconds is None:
            first, longest = self.policy.first_wait, self.policy.longest_wait
            seconds = wait_exponential_jitter(multiplier=first, max=longest, jitter=first)(state)
        return float(min(seconds, self.policy.longest_wait))

    def _report(self, state: RetryCallState) -> None:
        seconds = state.upcoming_sleep
        if seconds <= self.policy.unreported:
            return
        asked, again = _error(state).retry_after, f"Trying again in {seconds:.0f} s"
        if asked is None:
            self.on_wait(f"{_error(state).sentence} {again}")
        elif asked > seconds:  # longer than our policy grants
            self.on_wait(f"{self.server} asks us to wait {asked:.0f} s. {again}")
        else:
            self.on_wait(f"{self.server} asks us to wait {asked:.0f} s")


def _error(state: RetryCallState) -> SyncError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, SyncError)  # noqa: S101 - only these are retried
    return error


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date); None without one."""
    if not header:
        return None
    with suppress(ValueError):
        return wait_asked_for(float(header))
    with suppress(ValueError, OverflowError):
        return wait_asked_for(parsedate_to_datetime(header).timestamp() - time())
    return None


def wait_asked_for(seconds: float) -> float | None:
    """Return the wait that a server asks for, which may be over; None where it cannot mean it."""
    return max(0.0, seconds) if seconds <= LONGEST_WAIT else None  # nan is no number
