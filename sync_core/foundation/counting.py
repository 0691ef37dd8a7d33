"""How a number of things, or an amount of time, is written in a sentence."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds


def count(number: int, noun: str) -> str:
    """Return a count of things: "1 row", "1,200 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def hours(number: int) -> str:
    """Return a number of hours, in days from two of them on: "24 hours", "36 hours", "3 days"."""
    days, rest = divmod(number, 24)
    return count(number, "hour") if rest or days < 2 else count(days, "day")  # noqa: PLR2004 - two days


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Return how long ago it was: "just now", "14 minutes ago", "3 days ago"."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{count(int(seconds / MINUTE), 'minute')} ago"
    if seconds < DAY:
        return f"{count(int(seconds / HOUR), 'hour')} ago"
    return f"{count(int(seconds / DAY), 'day')} ago"


def moment_there(at: datetime, time_zone: str) -> str:
    """Return a moment that names its zone, for texts that are kept: "23 Nov 2026, 14:05 (UTC)"."""
    local = at.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%b %Y, %H:%M} ({time_zone})"
