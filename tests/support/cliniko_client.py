"""What the tests of Cliniko share: a clock that only sleeping moves, and clients at a fake."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync_core.foundation.settings import Secret
from sync_core.sources.cliniko.client import Client
from sync_core.sources.cliniko.quota import quota
from sync_core.sources.rate_limit import Limiter, LocalLimiter
from sync_core.sources.retry import Retrier, RetryPolicy
from tests.support.fakes.cliniko import KEY, Cliniko
from tests.support.sources import FAST_RETRIES

EVERYTHING = {
    "patients": ["archived_at:*"],
    "individual_appointments": ["archived_at:*", "cancelled_at:*"],
    "appointment_types": ["archived_at:*"],
}


@dataclass
class Clock:
    """Seconds since 1970; a whole minute, so that the server's minute begins, too."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def client(
    cliniko: Cliniko,
    *,
    key: str = KEY,
    timeout: float = 5,
    retry_policy: RetryPolicy = FAST_RETRIES,
    told: Callable[[str], None] = lambda _: None,
    limiter: Limiter | None = None,
    clock: Clock | None = None,
    user_agent: str = "Sync Desk",
) -> Client:
    sleep, seconds = (clock.sleep, clock) if clock else (time.sleep, time.time)
    return Client(
        Secret(key),
        base_url=cliniko.url,
        limiter=limiter or LocalLimiter(quota(Secret(key), 10**6)),
        retry=Retrier("Cliniko", retry_policy, told, sleep),
        user_agent=user_agent,
        timeout=timeout,
        clock=seconds,
    )


def read(
    reader: Client,
    path: str = "patients",
    *,
    after: str = "",
    where: Sequence[str] = (),
    least: int = 0,
) -> list[str]:
    """Read a list's ids."""
    batches = reader.records(path, after=after, where=where, least=least)
    return [record["id"] for batch in batches for record in batch.records]
