"""The heartbeat of an attempt: proves that it lives, and tells it when it must stop."""

import logging
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from sync_core import db, leases
from sync_core.leases import Claim, LeaseLostError

MERCY = 5  # seconds for an attempt to notice that its run was closed, before it is ended

STOPPING = threading.Event()  # set by SIGTERM: this process is to stop

log = logging.getLogger(__name__)


class CancelledError(Exception):
    """Somebody cancelled the run."""


class StoppedError(Exception):
    """The worker was asked to stop: the run goes on elsewhere."""


class Heart:
    """Renews the lease of a claim every few seconds, in a thread with a connection of its own."""

    def __init__(self, claim: Claim, give_up: Callable[[], None] = lambda: os._exit(70)) -> None:
        self._claim = claim
        self._give_up = give_up  # ends the process, where the run was closed and the work goes on
        self._done = threading.Event()
        self._cancel = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

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
        self._thread.join(leases.HEARTBEAT)

    def check(self) -> None:
        """Raise LeaseLostError, CancelledError or StoppedError where the attempt must stop."""
        if self._lost.is_set():
            raise LeaseLostError
        if self._cancel.is_set():
            raise CancelledError
        if STOPPING.is_set():
            raise StoppedError

    def _beat(self) -> None:
        pause = 0.0  # at once: a cancel may have come between the claim and now
        while not self._done.wait(pause):
            pause = self._renew()
            if self._lost.is_set():
                self._end_unless_done()
                return

    def _renew(self) -> float:
        """Renew the lease once; gives the seconds until the next time."""
        try:
            with db.begin() as connection:
                if leases.renew(connection, self._claim):
                    self._cancel.set()
        except LeaseLostError:
            self._lost.set()
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            log.warning("no heartbeat, Postgres does not answer: %s", type(error).__name__)
            return 0.5
        return 1.0 if self._cancel.is_set() else float(leases.HEARTBEAT)

    def _end_unless_done(self) -> None:
        end = time.monotonic() + MERCY
        while time.monotonic() < end:
            if self._done.wait(0.1):
                return
        log.error("run %s was closed and its work does not end", self._claim.run_id)
        self._give_up()
