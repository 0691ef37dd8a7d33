"""How many requests a server takes of one account, shared by all workers through Redis."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from time import monotonic
from typing import Protocol

from redis import Redis, RedisError

from sync_core.foundation import redis_clients
from sync_core.foundation.breaker import Breaker
from sync_core.sources.retry import Retrier

TRANSIT = 1.0  # seconds; a request counts at its server when it arrives, not when it leaves

# A list of the moments at which requests of the last window left, the oldest first. The clock is
# Redis's own, which all workers share; tests give theirs.
TAKE = """
local now, window, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and math.abs(now - oldest) >= window do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
if redis.call('LLEN', KEYS[1]) >= limit then
  return tostring(math.min(window, oldest + window - now))
end
redis.call('RPUSH', KEYS[1], string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window * 1000))
return '0'
"""


@dataclass(frozen=True)
class Quota:
    """How many requests of one account a server takes within a time."""

    account: str  # unique among all servers; Redis is told it, so it holds no secret
    requests: int
    seconds: float = 60.0

    @property
    def window(self) -> float:
        """The seconds for which a request that has left counts."""
        return self.seconds + TRANSIT


class Limiter(Protocol):
    """Lets requests through, one at a time."""

    def take(self) -> float:
        """Let one request through now (0), or return the seconds after which to ask again."""
        ...


@dataclass(frozen=True)
class LocalLimiter:
    """The limit within this process."""

    quota: Quota
    clock: Callable[[], float] = monotonic
    _left: deque[float] = field(default_factory=deque, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def take(self) -> float:
        """Let a request through, or return how long to wait; see `Limiter`."""
        with self._lock:
            now = self._forget()
            if len(self._left) >= self.quota.requests:
                return self._left[0] + self.quota.window - now
            self._left.append(now)
            return 0.0

    def note(self) -> None:
        """Count a request that another limiter has let through."""
        with self._lock:
            self._left.append(self._forget())

    def _forget(self) -> float:
        """Forget the requests before the window; return the time."""
        now = self.clock()
        while self._left and self._left[0] + self.quota.window <= now:
            self._left.popleft()
        return now


class SharedLimiter:
    """The limit of one account among all processes; without Redis, each keeps it for itself."""

    def __init__(
        self, quota: Quota, redis: Redis, clock: Callable[[], float] | None = None
    ) -> None:
        self._name = f"quota:{quota.account}"
        self._take = redis.register_script(TAKE)
        self._clock = clock  # None: Redis's own
        self._arguments = (quota.window, quota.requests)
        self._local = LocalLimiter(quota, clock or monotonic)
        self._breaker = Breaker()

    def take(self) -> float:
        """Let a request through, or return how long to wait; see `Limiter`."""
        if self._breaker.is_open:
            return self._local.take()
        try:
            seconds = self._ask()
        except RedisError:
            self._breaker.open()
            return self._local.take()
        if not seconds:
            self._local.note()  # should Redis go away, this process knows what it has sent
        return seconds

    def _ask(self) -> float:
        now = "" if self._clock is None else self._clock()
        return float(self._take(keys=[self._name], args=[now, *self._arguments]))


@dataclass(frozen=True)
class AskedLimiter:
    """The limit of an account, kept by another process, for one that may not reach Redis."""

    ask: Callable[[], float]

    def take(self) -> float:
        """Let a request through, or return how long to wait; see `Limiter`."""
        return self.ask()


_elsewhere: AskedLimiter | None = None


def ask_elsewhere(ask: Callable[[], float]) -> None:
    """Let this process, which reads with one account and no other, ask another for each request."""
    global _elsewhere  # noqa: PLW0603 - of the process, as its connections
    _elsewhere = AskedLimiter(ask)


def shared(quota: Quota) -> Limiter:
    """Return this process's limiter of an account, whose quota all workers and pages share."""
    return _elsewhere or _shared(quota)


@cache
def _shared(quota: Quota) -> SharedLimiter:
    return SharedLimiter(quota, redis_clients.client())


def wait_for(limiter: Limiter, retry: Retrier) -> None:
    """Wait until the limiter lets a request through, and say so where that takes long."""
    while (seconds := limiter.take()) > 0:
        if seconds > retry.policy.unreported:
            retry.on_wait(f"{retry.server}'s limit is reached, going on in {seconds:.0f} s")
        retry.sleep(seconds)
