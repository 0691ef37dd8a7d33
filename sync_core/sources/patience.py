"""How long one request may take: a fraction of the time for which a source may stay silent."""

from collections.abc import Callable, Iterable, Iterator
from time import monotonic, sleep

TRIES = 4  # that fit into the time for which a source may stay silent
LEAST_PROGRESS = 16 * 2**10  # bytes within the time of a request; a slower answer is stuck
LIFE_SECONDS = 1.0  # between two signs of life while we wait


def steady(
    chunks: Iterable[bytes], seconds: float, late: Callable[[], Exception]
) -> Iterator[bytes]:
    """Pass on what arrives, unless it is too slow: clients limit only the time between two bytes.

    Raises what `late` makes where less than `LEAST_PROGRESS` arrived within so many seconds.
    """
    since, received = monotonic(), 0
    for chunk in chunks:
        yield chunk
        received += len(chunk)
        if received >= LEAST_PROGRESS:
            since, received = monotonic(), 0
        elif monotonic() - since > seconds:
            raise late()


def sleep_alive(seconds: float, sign: Callable[[float], None]) -> None:
    """Wait, with signs of life: a wait that a server asks for is no silence.

    `sign` gets how long was waited since the last one, in seconds.
    """
    before = monotonic()
    until = before + seconds
    while (left := until - before) > 0:
        sleep(min(left, LIFE_SECONDS))
        before, since = monotonic(), before
        sign(before - since)
