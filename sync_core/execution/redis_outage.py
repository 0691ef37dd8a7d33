"""What a process's log tells of a Redis that does not do its work: when that begins and ends."""

import logging
import sys
import time
from typing import Final

from redis import BusyLoadingError, RedisError
from redis import ConnectionError as RedisConnectionError
from redis import TimeoutError as RedisTimeoutError

NO_ANSWER = (RedisConnectionError, RedisTimeoutError)  # any other error is one
CALM_SECONDS = 10.0  # without an error until it is over: Redis may do one command and not another
OF_RQ = ("rq.worker", "rq.job", "rq.queue", "rq.registry")


class Outage(logging.Filter):
    """Tells once that an outage began and once that it is over, however often Redis is tried.

    As a filter of RQ's logs it stands for what RQ would write itself, each time and with its stack.
    """

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log
        self._lasts = False
        self._worked = False  # since the last error
        self._last_error = 0.0

    @property
    def lasts(self) -> bool:
        """Return whether its end was not told yet."""
        return self._lasts

    def goes_on(self, error: BaseException) -> None:
        """Note that Redis did not do its work."""
        if not self._lasts or (self._worked and self._is_calm()):
            loads = isinstance(error, BusyLoadingError)
            silent = isinstance(error, NO_ANSWER) and not loads
            how = "does not answer" if silent else "answers with an error"
            why = f"{type(error).__name__}: {str(error)[:80]}"
            self._log.warning("Redis %s; work continues without it: %s", how, why)
        self._lasts, self._worked, self._last_error = True, False, time.monotonic()

    def works(self) -> None:
        """Note that Redis took what was written to it."""
        if self._lasts and self._is_calm():
            self._lasts = False
            self._log.warning("Redis does its work again.")
        self._worked = True

    def _is_calm(self) -> bool:
        return time.monotonic() - self._last_error >= CALM_SECONDS

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's signature
        """Return whether a line of RQ is to be written: not where it is about an error of Redis."""
        error = sys.exc_info()[1]
        if isinstance(error, RedisError):
            self.goes_on(error)
            return False
        return True


OUTAGE: Final = Outage(logging.getLogger("syncdesk.redis"))


def quiet_rq() -> None:
    """Let RQ write nothing of its own about errors of Redis."""
    for name in OF_RQ:
        logging.getLogger(name).addFilter(OUTAGE)
