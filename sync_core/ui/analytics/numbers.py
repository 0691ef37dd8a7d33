"""Figures in words: shares, changes, small samples."""

from sync_core.analytics.definitions import FEW
from sync_core.ui.parts.words import lasted

NONE = "–"  # noqa: RUF001 - the dash that people write where there is nothing


def percent(part: float | None) -> str:
    """Return a share: "97.4%"; only all of it is 100%, only nothing of it is 0%."""
    if part is None:
        return NONE
    rounded = round(100 * part, 1)
    if 0 < part < 1:
        rounded = min(max(rounded, 0.1), 99.9)
    return f"{rounded:.1f}%".replace(".0%", "%")


def seconds(value: float | None) -> str:
    """Return a duration, or a dash where there is none."""
    return NONE if value is None else days(value)


def days(value: float) -> str:
    """Return a duration that may be long: "0.4 s", "3 h 5 min", "2.5 days"."""
    return lasted(value) if value < 2 * 86_400 else f"{value / 86_400:.1f} days"


def whole(value: int | None) -> str:
    """Return a count, or a dash where there is none."""
    return NONE if value is None else f"{value:,}"


def few(samples: int) -> bool:
    """Return whether there are so few samples that one more could change the figure."""
    return 0 < samples < FEW
