"""What a process's log tells of a Redis that does not do its work: when that begins and ends."""

import logging
from typing import Final

from redis import BusyLoadingError
from redis import ConnectionError as RedisConnectionError
from redis import TimeoutError as RedisTimeoutError

NO_ANSWER = (RedisConnectionError, RedisTimeoutError)  # any other error is one
OF_RQ = "could not connect to Redis instance"  # in the line that RQ writes for each try


class Outage(logging.Filter):
    """Tells once that an outage began and once that it is over, however often Redis is tried.

    As a filter of RQ's log it stands for the lines that RQ would write itself.
    """

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self._log = log
        self._lasts = False

    def goes_on(self, error: BaseException) -> None:
        """Note that Redis did not do its work."""
        if not self._lasts:
            self._lasts = True
            loads = isinstance(error, BusyLoadingError)
            silent = isinstance(error, NO_ANSWER) and not loads
            how = "does not answer" if silent else "answers with an error"
            why = f"{type(error).__name__}: {str(error)[:80]}"
            self._log.warning("Redis %s; work continues without it: %s", how, why)

    def is_over(self) -> None:
        """Note that Redis took what was written to it."""
        if self._lasts:
            self._lasts = False
            self._log.warning("Redis does its work again.")

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line of RQ's is to be written."""
        if OF_RQ not in str(record.msg):
            return True
        errors = [one for one in record.args or () if isinstance(one, BaseException)]
        self.goes_on(errors[0] if errors else RedisConnectionError())
        return False


OUTAGE: Final = Outage(logging.getLogger("syncdesk.redis"))
