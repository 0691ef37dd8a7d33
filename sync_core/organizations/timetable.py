"""When a schedule ticks: a cron expression of five fields, in a time zone.

A fixed time in the hour that daylight saving skips comes at its end, and in the hour that it
repeats once, the first time. What comes every so many minutes, or every hour, goes on in real time.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, product, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from sync_core.foundation.errors import SyncError

FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
LARGEST = (59, 23, 31, 12, 7)  # of each field
LONGEST = 200  # characters of a schedule
MOST_COUNTED = 10_000  # ticks that were missed
LATELY = timedelta(days=7)  # in which whatever ticks so often has ticked
MOST_DAYS = 50 * 366  # without a tick, after which there is none
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def checked(cron: str) -> str:
    """Return the expression in its usual form. Raises SyncError("bad_schedule")."""
    fields = cron.upper().split()
    if len(fields) != len(FIELDS):
        raise bad(cron, f"a cron expression has five fields, not {len(fields)}")
    for name, most, field in zip(FIELDS, LARGEST, fields, strict=True):
        if any(int(step) > most for step in re.findall(r"/(\d+)", field)):
            raise bad(cron, f"the steps of its {name} are larger than {most}")
    try:
        next(CronSim(" ".join(fields), datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise bad(cron, _why(str(error), fields)) from None
    except (StopIteration, RuntimeError):
        raise bad(cron, "there is no such day") from None
    return " ".join(fields)


def _why(said: str, fields: Sequence[str]) -> str:
    known = ("Bad minute", "Bad hour", "Bad day-of-month", "Bad month", "Bad day-of-week")
    if said not in known:
        return "it is no cron expression"
    at = known.index(said)
    return f"there is no {FIELDS[at]} {fields[at].lower()}"


def bad(text: str, why: str) -> SyncError:
    """Return the error that a text is no schedule, and why."""
    return SyncError("bad_schedule", text=text[:LONGEST], why=why)


def ticks(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Return the ticks after a moment, in UTC, each once and in order.

    The library reads the expression alone: it loses its way where clocks change by half an hour.
    """
    sim = CronSim(cron, EPOCH)
    last = after.astimezone(UTC)
    first = last.astimezone(zone).date() - timedelta(days=1)
    for number in range(MOST_DAYS):
        day = first + timedelta(days=number)
        if day.month in sim.months and sim.match_day(day):
            for at in sorted(_of_day(sim, day, zone)):
                if at > last:
                    yield at
                    last = at


def _of_day(sim: CronSim, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Return the ticks of a day on the clocks of the zone, in UTC and in no order."""
    goes_on = any(field.startswith("*") for field in sim.parts[1:3])
    for hour, minute in product(sim.hours, sim.minutes):
        shown = datetime.combine(day, time(hour, minute), zone)
        if not goes_on:
            yield _first(shown)
        elif _is_shown(shown):
            yield shown.astimezone(UTC)
            yield shown.replace(fold=1).astimezone(UTC)


def _first(shown: datetime) -> datetime:
    """Return when clocks first show this, or when they skip it."""
    while not _is_shown(shown):
        shown += timedelta(minutes=1)
    return shown.astimezone(UTC)


def _is_shown(shown: datetime) -> bool:
    return shown.astimezone(UTC).astimezone(shown.tzinfo) == shown


def following(cron: str, zone: ZoneInfo, after: datetime, number: int = 1) -> list[datetime]:
    """Return the next ticks after a moment, in UTC."""
    return list(islice(ticks(cron, zone, after), number))


def due(cron: str, zone: ZoneInfo, first: datetime, now: datetime) -> tuple[datetime, int]:
    """Return the last tick until now, and how many came before it, from the `first` one on.

    No more than MOST_COUNTED are counted.
    """
    last, missed = first, 0
    for tick in ticks(cron, zone, first):
        if tick > now:
            return last, missed
        last, missed = tick, missed + 1
        if missed == MOST_COUNTED:
            break
    lately = takewhile(lambda tick: tick <= now, ticks(cron, zone, now - LATELY))
    return max(lately, default=last), missed
