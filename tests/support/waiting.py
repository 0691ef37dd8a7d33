"""Waits for what will become true, never for a time."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T], seconds: float = 30, *, despite: tuple[type[Exception], ...] = ()
) -> T:
    """Return what `look` gives once it is true. Raises TimeoutError where it never is."""
    end = time.monotonic() + seconds
    while True:
        with suppress(*despite):
            if found := look():
                return found
        if time.monotonic() > end:
            raise TimeoutError(f"it did not come true within {seconds} s")
        time.sleep(0.02)
