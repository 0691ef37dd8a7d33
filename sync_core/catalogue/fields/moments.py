"""Fields of moments: dates, times of day and moments in UTC, never guessed."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import floor

import polars as pl
import sqlalchemy as sa

from sync_core.catalogue.fields.cells import CellError, Shortcut, keep, matching, plain
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.field import Field

DAY_OF_1970 = 25_569  # a spreadsheet counts days from 1899-12-30
FIRST_DAY, LAST_DAY = -328_716, 2_958_465  # the same way: the years of four digits
FIRST_YEAR, LAST_YEAR = 1000, 9999
SECONDS = 86_400  # of a day
NANOSECONDS = 1_000_000_000  # of a second

_DAYS_OF_MONTHS = (  # every day of a year but 29 February
    ("0[1-9]|1[0-2]", "0[1-9]|1[0-9]|2[0-8]"),
    ("0[13-9]|1[0-2]", "29|30"),
    ("0[13578]|1[02]", "31"),
)
_SURE_DAYS = "|".join(f"(?:{months})-(?:{days})" for months, days in _DAYS_OF_MONTHS)
_FOUR_DIGITS = "[1-9][0-9]{3}"
_ISO_MOMENT = f"^{_FOUR_DIGITS}-(?:{_SURE_DAYS})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
_BARE = r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)$"

_MIDNIGHT = re.compile(
    r"(?:T|,? )(?:00?:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?|12:00(?::00)? ?am)$", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{1,2})\.?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{4})\.?")
_DAY = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er)?"
_MONTH = r"(?P<month>[^\W\d_]+)"
_YEAR = "(?P<year>[0-9]{4})"
_GAP = "[ .,/-]{0,3}(?:(?:of|de) )?"
_WITH_MONTH_NAME = [
    re.compile(order, re.IGNORECASE)
    for order in (
        _DAY + _GAP + _MONTH + _GAP + _YEAR,  # 3 Apr 2026
        _MONTH + _GAP + _DAY + "[ .,/-]{1,3}" + _YEAR,  # Apr 3, 2026
        _YEAR + _GAP + _MONTH + _GAP + _DAY,  # 2026 Apr 3
    )
]
_SHORT_YEAR = re.compile(r"[0-9]{1,2}[-/. ]+(?:[0-9]{1,2}|[^\W\d_]+)[-/., ]+'?[0-9]{2}")
_WITH_TIME = re.compile(r".*[0-9][T ,]+[0-9]{1,2}[:.][0-9]{2}.*")
_TIME = re.compile(
    r"([0-9]{1,2})(?:([:.h])([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?)? ?(am|pm|a\.m\.|p\.m\.)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Date(Field):
    """A day of the calendar, without a time of day."""

    reads_numbers = True
    sql_type = sa.Date()

    def facts(self, text: str, convention: Convention) -> dict[str, object]:
        """Return what the date may have meant, what is odd about it, and the range."""
        readings = " or ".join(_readings(text))
        cure = "write" if convention.locale else "set the source's locale, or write"
        hint = f" ({cure} {readings})" if readings else _oddity(text)
        years = f"between the years {FIRST_YEAR} and {LAST_YEAR}"
        return {"readings": readings, "cure": cure, "hint": hint, "range": years}

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 2026-04-03; turn 03/04/2026 round as the locale says."""
        if not convention.date_order:
            return (_iso_dates,)
        return _iso_dates, lambda texts: _turned(texts, convention.date_order == "dmy")

    def parse(self, text: str, convention: Convention) -> str:
        """Read a date with its year first, in the locale's order, or with its month's name."""
        bare = _MIDNIGHT.sub("", plain(text).strip())
        if found := _YEAR_FIRST.fullmatch(bare):
            year, _, month, day = found.groups()
            return _iso(int(year), int(month), int(day))
        if found := _YEAR_LAST.fullmatch(bare):
            one, _, two, year = found.groups()
            return _in_order(int(one), int(two), int(year), convention)
        return _with_month_name(bare, convention)

    def read_numbers(self, numbers: pl.Series, texts: pl.Series) -> pl.Series:
        """Read days counted from 1899-12-30."""
        whole = (numbers == numbers.floor()) & numbers.is_between(FIRST_DAY, LAST_DAY)
        known = keep(numbers, whole & ~texts.str.contains(_BARE).fill_null(value=True))
        return (known - DAY_OF_1970).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")

    def parse_number(self, number: float, text: str | None) -> str:
        """Read a day counted from 1899-12-30.

        A fraction is a time of day, and fails as it does in a text: dropping it would be a guess.
        """
        if not number.is_integer() or _shown_bare(number, text):
            raise CellError("not_a_date")
        if not FIRST_DAY <= number <= LAST_DAY:
            raise CellError("out_of_range")
        return (date(1970, 1, 1) + timedelta(days=number - DAY_OF_1970)).isoformat()


@dataclass(frozen=True, kw_only=True)
class Time(Field):
    """A time of day, to the second."""

    reads_numbers = True
    sql_type = sa.Time()

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 09:00:00; make it of 09:00."""
        minutes = "^(?:[01][0-9]|2[0-3]):[0-5][0-9]"
        return (
            lambda texts: matching(texts, minutes + "$") + ":00",
            lambda texts: matching(texts, minutes + ":[0-5][0-9]$"),
        )

    def parse(self, text: str, convention: Convention) -> str:
        """Read a time by 24 hours, or by 12 with am or pm; 9.30 only where it is written so."""
        found = _TIME.fullmatch(plain(text).strip())
        if not found:
            raise CellError("not_a_time")
        hours, mark, minutes, seconds, half = found.groups()
        unclear = not mark or (mark == "." and not convention.dotted_times)
        if unclear and not half:
            raise CellError("not_a_time")
        return _clock(_hour(int(hours), half), int(minutes or 0), int(seconds or 0))

    def read_numbers(self, numbers: pl.Series, texts: pl.Series) -> pl.Series:
        """Read fractions of a day."""
        seconds = (numbers * SECONDS + 0.5).floor()
        known = (numbers >= 0) & (seconds < SECONDS)
        known &= ~texts.str.contains(_BARE).fill_null(value=True)
        clock = keep(seconds, known).cast(pl.Int64) * NANOSECONDS
        return clock.cast(pl.Time).dt.to_string("%H:%M:%S")

    def parse_number(self, number: float, text: str | None) -> str:
        """Read a fraction of a day, rounded to the second."""
        if not 0 <= number < 1 or _shown_bare(number, text):
            raise CellError("not_a_time")
        minutes, second = divmod(floor(number * SECONDS + 0.5), 60)
        return _clock(*divmod(minutes, 60), second)


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A moment with its offset from UTC, as systems write it; kept in UTC, to the second."""

    sql_type = sa.DateTime(timezone=True)

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 2026-04-03T09:00:00Z."""
        return (lambda texts: matching(texts, _ISO_MOMENT),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Read a moment by ISO 8601; without an offset it would be a guess."""
        try:
            moment = datetime.fromisoformat(plain(text).strip())
            utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise CellError("not_a_moment") from None
        if moment.tzinfo is None or utc.year < FIRST_YEAR:
            raise CellError("not_a_moment")
        return utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


# Columns at once


def _iso_dates(texts: pl.Series) -> pl.Series:
    return matching(texts, f"^{_FOUR_DIGITS}-(?:{_SURE_DAYS})$")


def _turned(texts: pl.Series, day_first: bool) -> pl.Series:  # noqa: FBT001 - one of two orders
    """Make ISO dates of those that end in their year."""
    orders = [(d, m) if day_first else (m, d) for m, d in _DAYS_OF_MONTHS]
    days = "|".join(f"(?:{one}){mark}(?:{two}){mark}" for one, two in orders for mark in "/-.")
    known = matching(texts, f"^(?:{days.replace('.', '[.]')}){_FOUR_DIGITS}$")
    cut = pl.col("date").str.slice
    day, month = (cut(0, 2), cut(3, 2)) if day_first else (cut(3, 2), cut(0, 2))
    turned = pl.concat_str(cut(6, 4), month, day, separator="-")
    return known.to_frame("date").select(turned).to_series()


# One text at a time


def _iso(year: int, month: int, day: int) -> str:
    try:
        written = date(year, month, day).isoformat()
    except ValueError:
        raise CellError("impossible_date") from None
    if year < FIRST_YEAR:
        raise CellError("out_of_range")
    return written


def _in_order(one: int, two: int, year: int, convention: Convention) -> str:
    """Read a date that ends in its year, where the locale says what comes first."""
    if convention.date_order == "dmy":
        return _iso(year, two, one)
    if convention.date_order == "mdy":
        return _iso(year, one, two)
    codes = ("impossible_date", "not_a_date", "ambiguous_date")
    raise CellError(codes[len(_both_orders(one, two, year))])


def _both_orders(one: int, two: int, year: int) -> list[str]:
    """Return the dates that this may be, day first before month first."""
    found = []
    for month, day in ((two, one), (one, two)):
        with suppress(CellError):
            found.append(_iso(year, month, day))
    return list(dict.fromkeys(found))


def _with_month_name(text: str, convention: Convention) -> str:
    for order in _WITH_MONTH_NAME:
        found = order.fullmatch(text)
        month = convention.months.get(found["month"].casefold()) if found else None
        if found and month:
            return _iso(int(found["year"]), month, int(found["day"]))
    raise CellError("not_a_date")


def _hour(hour: int, half: str | None) -> int:
    """Turn an hour before or after noon into one of 24."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - as on the dial
        raise CellError("not_a_time")
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _clock(hour: int, minute: int, second: int) -> str:
    try:
        return time(hour, minute, second).isoformat()
    except ValueError:
        raise CellError("not_a_time") from None


def _shown_bare(number: float, text: str | None) -> bool:
    """Whether people see the bare number: 2026 is then a year, not the 2026th day after 1899."""
    return text is not None and bool(re.match(_BARE, text)) and float(text) == number


# What sentences name


def _readings(text: str) -> list[str]:
    found = _YEAR_LAST.fullmatch(_MIDNIGHT.sub("", plain(text).strip()))
    return _both_orders(int(found[1]), int(found[3]), int(found[4])) if found else []


def _oddity(text: str) -> str:
    """Say what may be wrong with a text that is no date."""
    if _SHORT_YEAR.fullmatch(plain(text)):
        return " (write the year with four digits)"
    return " (write it without a time of day)" if _WITH_TIME.fullmatch(plain(text)) else ""
