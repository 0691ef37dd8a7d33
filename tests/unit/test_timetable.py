"""When schedules tick, against an oracle that counts the minutes of a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core.foundation.errors import SyncError
from sync_core.organizations import schedule_words, timetable

ZONES = ("Australia/Sydney", "Europe/London", "America/New_York", "Australia/Lord_Howe")
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
DST = {  # a moment shortly before a change of 2026, in UTC
    "Australia/Sydney": datetime(2026, 4, 4, 14, 55, tzinfo=UTC),
    "Europe/London": datetime(2026, 10, 25, 0, 10, tzinfo=UTC),
    "America/New_York": datetime(2026, 11, 1, 5, 20, tzinfo=UTC),
}


@dataclass(frozen=True)
class Minutes:
    """Minutes, as numbers since 1970, and what a clock that shows them says."""

    number: np.ndarray
    minute: np.ndarray
    hour: np.ndarray
    day: np.ndarray
    month: np.ndarray
    weekday: np.ndarray


def shown(at: pd.DatetimeIndex) -> Minutes:
    numbers = at.to_numpy().astype("datetime64[m]").astype(np.int64)
    weekday = (at.day_of_week + 1) % 7
    parts = (at.minute, at.hour, at.day, at.month, weekday)
    return Minutes(numbers, *(part.to_numpy() for part in parts))


@cache
def year(zone: str) -> tuple[np.ndarray, Minutes, Minutes]:
    """Return each minute of a year, what clocks of the zone show then, and all they could show."""
    day = timedelta(days=1)
    every = pd.date_range(FIRST - day, LAST + day, freq="min", tz="UTC")
    clocks = every.tz_convert(zone).tz_localize(None)
    could = pd.date_range(clocks[0], clocks[-1], freq="min")
    return shown(every.tz_localize(None)).number, shown(clocks), shown(could)


def values(field: str, least: int, most: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        start, end = (least, most) if span == "*" else (int(low), int(high or low))
        found |= set(range(start, (most if step and not high else end) + 1, int(step or 1)))
    return found


def matches(cron: str, at: Minutes) -> np.ndarray:
    minute, hour, day, month, weekday = cron.split()
    days = np.isin(at.day, list(values(day, 1, 31)))
    weekdays = np.isin(at.weekday, [one % 7 for one in values(weekday, 0, 7)])
    both = day == "*" or weekday == "*"
    found: np.ndarray = (
        np.isin(at.minute, list(values(minute, 0, 59)))
        & np.isin(at.hour, list(values(hour, 0, 23)))
        & np.isin(at.month, list(values(month, 1, 12)))
        & (days & weekdays if both else days | weekdays)
    )
    return found


def oracle(cron: str, zone: str) -> list[datetime]:
    """Count the minutes: a fixed time comes once, at its first minute or at the end of its gap."""
    numbers, clocks, could = year(zone)
    if cron.startswith("*") or cron.split()[1].startswith("*"):
        found = numbers[matches(cron, clocks)]
    else:
        there, first = np.unique(clocks.number, return_index=True)
        wanted = could.number[matches(cron, could)]
        found = np.unique(numbers[first[np.searchsorted(there, wanted)]])
    ticks = (datetime.fromtimestamp(int(number) * 60, UTC) for number in found)
    return [at for at in ticks if FIRST < at <= LAST]


def real(cron: str, zone: str) -> list[datetime]:
    every = timetable.ticks(cron, ZoneInfo(zone), FIRST)
    return list(takewhile(lambda at: at <= LAST, every))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "cron",
    [
        "30 6 * * 1-5",
        "0 7-19/2 * * *",
        "30 2 * * *",  # which is skipped, or comes twice, on the day of a change
        "0,15,30,45 1-3 * * *",
        "15 1 * * 0",
        "0 * * * 0",
        "*/20 0-4 * * 0",  # a Sunday, as changes are
        "*/30 1-3 * * 0",
        "5 */3 * * *",
        "0 0 1,15 * *",
        "10 2 13 * 5",  # the 13th, or a Friday
        "0 0 29 2 *",
    ],
)
def test_a_year_of_ticks_is_what_counting_minutes_gives(cron: str, zone: str) -> None:
    assert real(cron, zone) == oracle(cron, zone)


@pytest.mark.parametrize("zone", DST)
@pytest.mark.parametrize("cron", ["30 2 * * *", "*/15 * * * *", "0,30 1-2 * * *", "5 1 * * *"])
def test_it_goes_on_from_any_minute_around_a_change(cron: str, zone: str) -> None:
    start, until = DST[zone] - timedelta(days=1), DST[zone] + timedelta(days=4)
    every = list(takewhile(lambda at: at < until, timetable.ticks(cron, ZoneInfo(zone), start)))
    for minute in range(0, 180, 7):
        after = DST[zone] + timedelta(minutes=minute, seconds=minute % 60)
        expected = [at for at in every if at > after][:3]
        assert timetable.following(cron, ZoneInfo(zone), after, 3) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_what_was_missed_is_counted(zone: str) -> None:
    every = list(islice(timetable.ticks("*/20 * * * *", ZoneInfo(zone), FIRST), 501))
    last, missed = timetable.due("*/20 * * * *", ZoneInfo(zone), every[0], every[500])
    assert (last, missed) == (every[500], 500)
    assert timetable.due("*/20 * * * *", ZoneInfo(zone), every[9], every[9]) == (every[9], 0)


def test_a_long_outage_is_not_counted_to_its_end() -> None:
    now = FIRST + timedelta(days=90, seconds=5)
    last, missed = timetable.due("* * * * *", ZoneInfo("UTC"), FIRST, now)
    assert (last, missed) == (now - timedelta(seconds=5), timetable.MOST_COUNTED)


# In words


@pytest.mark.parametrize(
    ("text", "cron", "words"),
    [
        ("every weekday at 06:30", "30 6 * * 1-5", "every weekday at 06:30"),
        ("Every  Weekday at 6.30 AM.", "30 6 * * 1-5", "every weekday at 06:30"),
        ("Mon-Fri at 7", "0 7 * * 1-5", "every weekday at 07:00"),
        ("06:30 every weekday", "30 6 * * 1-5", "every weekday at 06:30"),
        ("every 2 hours from 7 to 19", "0 7-19/2 * * *", "every 2 hours from 07:00 to 19:00"),
        ("every 15 minutes", "*/15 * * * *", "every 15 minutes"),
        (
            "every 15 minutes between 7 and 19 on weekdays",
            "*/15 7-18 * * 1-5",
            "every 15 minutes from 07:00 to 18:45 on weekdays",
        ),
        ("hourly", "0 * * * *", "every hour"),
        ("every hour at :15", "15 * * * *", "every hour at :15"),
        ("every day at 6:30 and 18:30", "30 6,18 * * *", "every day at 06:30 and 18:30"),
        ("daily at noon", "0 12 * * *", "every day at 12:00"),
        (
            "every sunday, tuesday and friday at 9pm",
            "0 21 * * 0,2,5",
            "every Tuesday, Friday and Sunday at 21:00",
        ),
        ("on the 1st of every month at 6", "0 6 1 * *", "on day 1 of every month at 06:00"),
        ("@daily", "0 0 * * *", "every day at 00:00"),
        ("30 6 * * mon-fri", "30 6 * * MON-FRI", "every weekday at 06:30"),
        ("0 6 L * *", "0 6 L * *", "at 06:00 on the last day of every month"),
        ("*/7 * * * *", "*/7 * * * *", "every seventh minute of every hour"),
    ],
)
def test_a_schedule_is_read_and_told_in_words(text: str, cron: str, words: str) -> None:
    assert schedule_words.parse(text) == cron
    assert schedule_words.words(cron) == words


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is not understood"),
        ("whenever", "is no day"),
        ("every day", "it names no time"),
        ("every day at 25:00", "there is no time 25:00"),
        ("every day at 13 pm", "there is no time 13 pm"),
        ("every doomsday at 6", "'doomsday' is no day"),
        ("every 0 minutes", "there is no such interval"),
        ("every 7 minutes", "cannot be divided evenly"),
        ("every 90 minutes", "cannot be divided evenly"),
        ("every day at 6:30 and 18:45", "not at the same minutes"),
        ("30 25 * * *", "there is no hour 25"),
        ("30 6 * * MOO", "there is no weekday moo"),
        ("0 0 30 2 *", "there is no day of the month 30"),
        ("* * * * * *", "five fields, not 6"),
        ("1 2 3", "five fields, not 3"),
        ("*/70 * * * *", "the steps of its minute"),
        ("every day at 6 " * 30, "longer than"),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(SyncError) as refused:
        schedule_words.parse(text)
    assert refused.value.code == "bad_schedule"
    assert why in refused.value.sentence


DAYS = ["day", "weekday", "weekend", *schedule_words.WEEK, "monday and friday", "tue to thu"]


@given(
    st.sampled_from(DAYS),
    st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True),
    st.integers(0, 59),
)
def test_words_say_what_was_asked_for(days: str, hours: Sequence[int], minute: int) -> None:
    said = f"every {days} at {' and '.join(f'{hour:02d}:{minute:02d}' for hour in hours)}"
    cron = schedule_words.parse(said)
    assert schedule_words.parse(schedule_words.words(cron)) == cron


PARTS = st.text("0123456789*/,-#LW? amonfritevyduhs:@", max_size=30)


@given(st.one_of(PARTS, st.lists(PARTS.map(str.strip), min_size=5, max_size=5).map(" ".join)))
def test_whatever_is_written_is_a_schedule_or_refused(text: str) -> None:
    try:
        cron = schedule_words.parse(text)
    except SyncError as error:
        assert error.code == "bad_schedule"  # noqa: PT017 - both ends are right
    else:
        assert schedule_words.words(cron)
        assert len(timetable.following(cron, ZoneInfo("Europe/London"), FIRST, 2)) == 2
