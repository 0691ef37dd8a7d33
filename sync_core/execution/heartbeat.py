"""The heartbeat of an attempt: proves that it lives, and tells it when it must stop."""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Self

from sync_core.foundation import db
from sync_core.runs import lease, recovery
from sync_core.runs.lease import CancelledError, Claim, LeaseLostError

STOP_SECONDS = 8  # for an attempt to stop by itself, before its heartbeat closes its run
EXIT_SECONDS = 5  # for an attempt to notice that its run was closed, before it is ended
RETRY_SECONDS = 0.5  # until the next try where Postgres does not answer

log = logging.getLogger(__name__)


@dataclass
class StopRequest:
    """A signal's request to stop; unlike an Event it takes no lock, which may be held."""

    made: bool = False

    def make(self, _signal: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.made = True


STOP_REQUEST = StopRequest()  # made by SIGTERM to this process


class OverdueError(Exception):
    """The run has reached its time limit."""


class StoppedError(Exception):
    """The worker was asked to stop: the run goes on elsewhere."""


Reason = type[LeaseLostError | CancelledError | OverdueError | StoppedError]


class Heartbeat:
    """Renews the lease of a claim every second, in a thread with a connection of its own.

    It needs nobody else to end a run that is to be cancelled, or over its `limit` (seconds).
    """

    def __init__(
        self,
        claim: Claim,
        limit: float = float("inf"),
        exit_now: Callable[[], None] = lambda: os._exit(70),
    ) -> None:
        self._claim = claim
        self._limit = limit
        self._exit_now = exit_now  # ends the process, where the run was closed and the work goes on
        self._reason: Reason | None = None
        self._since = 0.0  # when the reason was first known
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join(lease.HEARTBEAT_SECONDS)

    def check(self) -> None:
        """Raise the reason for which the attempt must stop, if there is one."""
        if reason := self._reason or (StoppedError if STOP_REQUEST.made else None):
            raise reason

    def _run(self) -> None:
        pause = 0.0  # at once: a cancel may have come between the claim and now
        while not self._done.wait(pause):
            try:
                self._renew()
                pause = float(lease.HEARTBEAT_SECONDS)
            except db.ERRORS as error:
                if pause != RETRY_SECONDS:
                    why = "has too many connections" if db.is_crowded(error) else "does not answer"
                    log.warning("no heartbeat, Postgres %s: %s", why, type(error).__name__)
                pause = RETRY_SECONDS
            if self._reason is LeaseLostError:
                return self._end_unless_done()
        return None

    def _renew(self) -> None:
        """Renew the lease once, and learn whether the attempt must stop."""
        try:
            with db.at_once() as connection:
                state = lease.renew(connection, self._claim)
            if state.cancelled:
                self._stop(CancelledError)
            elif state.active > self._limit:
                self._stop(OverdueError)
            elif STOP_REQUEST.made:
                self._stop(StoppedError)
            if self._reason and time.monotonic() > self._since + STOP_SECONDS:
                self._close_run()
        except LeaseLostError:
            self._reason = LeaseLostError

    def _stop(self, reason: Reason) -> None:
        if self._reason is None:
            self._since = time.monotonic()
        self._reason = reason

    def _close_run(self) -> None:
        """Close the run in place of its attempt, which does not stop by itself."""
        with db.within(self._claim.organization_id) as connection:
            recovery.end_backends(connection, [db.name()])
            if self._reason is StoppedError:
                why = "its worker was asked to stop, and took too long"
                lease.interrupt(connection, self._claim, why, crashed=False)
            elif self._reason is OverdueError:
                overdue = lease.overdue(self._limit, self._claim.waited)
                lease.finish(connection, self._claim, overdue)
            else:
                lease.finish(connection, self._claim, lease.cancelled())
        raise LeaseLostError

    def _end_unless_done(self) -> None:
        end = time.monotonic() + EXIT_SECONDS
        while time.monotonic() < end:
            if self._done.wait(0.1):
                return
        log.error("run %s was closed and its work does not end", self._claim.run_id)
        self._exit_now()
