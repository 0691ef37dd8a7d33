"""A circuit breaker: a server that did not answer is left alone, for each try costs a wait."""

from time import monotonic

PAUSE_SECONDS = 5.0


class Breaker:
    """Closed while calls get through; `open` it where one did not, and it closes by itself."""

    def __init__(self) -> None:
        self._closes_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether no call shall be made."""
        return monotonic() < self._closes_at

    def open(self) -> None:
        """Let no call be made for PAUSE_SECONDS."""
        self._closes_at = monotonic() + PAUSE_SECONDS
