"""How often somebody may ask: so many requests a minute for each token, or each address.

It is counted in this process, so neither Postgres nor Redis is asked for a request that is refused.
"""

import hashlib
import time
from functools import cache
from math import ceil

from limits import RateLimitItemPerMinute, storage, strategies
from starlette.requests import HTTPConnection

from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError

REFUSALS = 30  # of tokens that are not known, a minute and address


@cache
def _counted() -> strategies.SlidingWindowCounterRateLimiter:
    return strategies.SlidingWindowCounterRateLimiter(storage.MemoryStorage())


def require(connection: HTTPConnection) -> None:
    """Count a request. Raises SyncError("too_many_requests")."""
    address = _address(connection)
    guesses = RateLimitItemPerMinute(REFUSALS)
    if not _counted().test(guesses, "guesses", address):
        raise _too_many(guesses, "guesses", address)
    token = connection.headers.get("authorization")
    who = hashlib.sha256(token.encode()).hexdigest() if token else address
    usual = RateLimitItemPerMinute(settings.current().api_rate)
    if not _counted().hit(usual, who):
        raise _too_many(usual, who)


def count_guess(connection: HTTPConnection) -> None:
    """Count a token that nobody knows, so that none is found by trying."""
    _counted().hit(RateLimitItemPerMinute(REFUSALS), "guesses", _address(connection))


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"


def _too_many(limit: RateLimitItemPerMinute, *who: str) -> SyncError:
    until = _counted().get_window_stats(limit, *who).reset_time
    seconds = max(1, ceil(until - time.time()))
    return SyncError("too_many_requests", most=limit.amount, seconds=seconds)
