"""Redis: clients for those who must not wait, and for those who may."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sync_core.foundation import settings


@cache
def client() -> Redis:
    """Return the client of pages and of progress: short waits, no retries, text answers."""
    return Redis.from_url(
        settings.urls().redis,
        decode_responses=True,
        encoding_errors="replace",  # of what others have written
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )


@cache
def queue_client() -> Redis:
    """Return the client of RQ in a worker, which sets its waits and tries again: bytes."""
    return Redis.from_url(
        settings.urls().redis, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )


@cache
def pushing_client() -> Redis:
    """Return the client that hands a run over to the queue: bytes, short waits."""
    return Redis.from_url(
        settings.urls().redis,
        socket_connect_timeout=0.3,
        socket_timeout=0.5,
        retry=Retry(NoBackoff(), 0),
    )
