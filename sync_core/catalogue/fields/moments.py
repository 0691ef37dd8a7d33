"""Fields of moments: dates, times of day and moments in UTC, never guessed."""

from __future__ import annotations  # those that name Polars load none of it

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from math import floor, isfinite

import sqlalchemy as sa

from sync_core.catalogue.fields.cells import (
    BlankError,
    Cell,
    CellError,
    Shortcut,
    first_of,
    keep,
    matching,
    plain,
)
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.field import Field
from sync_core.catalogue.fields.number_formats import (
    HARMLESS,
    NumberCell,
    NumberFormat,
    by_digits,
    kind,
)
from sync_core.catalogue.fields.polars_later import pl

DAY_OF_1970 = 25_569  # a spreadsheet counts days from 1899-12-30
FIRST_DAY, LAST_DAY = -328_716, 2_958_465  # the same way: the years of four digits
ALL_YEARS = (1000, 9999)  # of four digits
PLAUSIBLE_YEARS = (1900, 2100)  # where a field does not declare others
BUDDHIST = 543  # years that the calendar of Thailand is ahead of ours
IRANIAN_OR_ISLAMIC = range(1279, 1526)  # years that people live in, or were born
LAST_MONTH, LAST_DAY_OF_MONTH = 12, 31
SECONDS = 86_400  # of a day
NANOSECONDS = 1_000_000_000  # of a second
MIDNIGHT = "00:00:00"

_DAYS_OF_MONTHS = (  # every day of a year but 29 February
    ("0[1-9]|1[0-2]", "0[1-9]|1[0-9]|2[0-8]"),
    ("0[13-9]|1[0-2]", "29|30"),
    ("0[13578]|1[02]", "31"),
)
_SURE_DAYS = "|".join(f"(?:{months})-(?:{days})" for months, days in _DAYS_OF_MONTHS)
_FOUR_DIGITS = "[1-9][0-9]{3}"
_DAY_THEN_TIME = re.compile("[0-9W-]+[Tt ][0-9]")
_ISO_MOMENT = f"^{_FOUR_DIGITS}-(?:{_SURE_DAYS})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
_DAY_OR_MONTH = "^(?:0?[1-9]|1[0-2])[-/] ?(?:0?[1-9]|1[0-2])[-/]"  # nowhere with dots
_SEEN_AS_A_DATE = "|".join(
    f"^(?:[0-9]{{1,2}}|[0-9]{{4}}){mark}[0-9]{{1,2}}{mark}(?:[0-9]{{4}}|[0-9]{{1,2}})$"
    for mark in ("-", "/", "[.]")
)

_AT_MIDNIGHT = re.compile(
    r"(?:T|,? )(?:00?:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?|12:00(?::00)? ?am)$", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{1,2})\.?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?([0-9]{4})\.?")
_DAY = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er)?"
_MONTH = r"(?P<month>[^\W\d_]+)"
_YEAR = "(?P<year>[0-9]{4})"
_A_YEAR = re.compile("(?<![0-9])[0-9]{4}(?![0-9])")
_DAY_0 = re.compile(r"(?:0?0[-/.]0?1|0?1[-/.]0?0)[-/.]1900|1900-01-00")  # how Excel shows it
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
_DAY_AND_MONTH = re.compile(
    r"([0-9]{1,2})([-/.]) ?([0-9]{1,2})\2 ?(?:[0-9]{4}|[0-9]{2})(?![0-9]).*"
)
_END_OF_DAY = re.compile("24[:.h]00(?::00)?")
_WITH_TIME = re.compile(r".*[0-9][T ,]+[0-9]{1,2}[:.][0-9]{2}.*")
_TIME = re.compile(
    r"([0-9]{1,2})(?:([:.h])([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?)? ?(am|pm|a\.m\.|p\.m\.)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Date(Field):
    """A day of the calendar, without a time of day."""

    years: tuple[int, int] = PLAUSIBLE_YEARS  # the first and the last one

    formats = frozenset({NumberFormat.DATE, NumberFormat.DATE_TIME})
    sql_type = sa.Date()

    def facts(
        self, text: str, convention: Convention, cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return what the date may have meant, what is odd about it, and what the cell hides."""
        readings = " or ".join(_readings(text))
        fix = "write" if convention.locale else "set the source's locale, or write"
        number = cell.number if cell and isfinite(cell.number) else None
        known = _known_oddity(text, number, convention)
        spelling = f" ({fix} {readings})" if not convention.date_order else ""
        return {
            "readings": readings,
            "fix": fix,
            "hint": known or (spelling if readings else _oddity(text)),
            "range": "between the years {} and {}".format(*self.years),
            "locale": convention.locale,
            "order": {"dmy": "the day", "mdy": "the month", None: "the year"}[
                convention.date_order
            ],
            "hidden": "" if number is None else f"a time of day ({_clock_told(number)})",
        }

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 2026-04-03; turn 03/04/2026 round as the locale says."""
        turned = partial(_turned, day_first=convention.date_order == "dmy")
        ways = (_iso_dates, turned) if convention.date_order else (_iso_dates,)
        return tuple(partial(self._plausible, way) for way in ways)

    def doubtful(self, cell: Cell, convention: Convention) -> pl.Expr | None:
        """Return whether day and month might be the other way round."""
        return cell.is_text_like(_DAY_OR_MONTH) if convention.date_order else None

    def shows(self, text: str, convention: Convention) -> str | None:
        """Say what comes first in a date that cannot be in the locale's order."""
        order = _order_shown(text)
        if convention.date_order is None or order in {None, convention.date_order}:
            return None
        first, other = ("day", "month") if order == "dmy" else ("month", "day")
        example = next(iter(_readings(text)), "2026-04-03")
        return (
            f"the {first} first, where {convention.locale} writes the {other} first; write dates as"
            f" in {example}, or set the source's locale"
        )

    def _plausible(self, way: Shortcut, texts: pl.Series) -> pl.Series:
        dates, (first, last) = way(texts), self.years
        if self.years == ALL_YEARS:
            return dates
        return keep(dates, (dates >= f"{first}-") & (dates <= f"{last}-12-31"))

    def parse(self, text: str, convention: Convention) -> str:
        """Read a date with its year first, in the locale's order, or with its month's name."""
        year, month, day = _parts(text, convention)
        if not self.years[0] <= year <= self.years[1]:
            raise CellError("out_of_range")
        return _iso(year, month, day)

    def read_numbers(
        self, numbers: pl.Series, texts: pl.Series, formats: pl.Series, _convention: Convention
    ) -> pl.Series:
        """Read days counted from 1899-12-30 that people see as dates."""
        days = (numbers == numbers.floor()) & numbers.is_between(FIRST_DAY, LAST_DAY)
        fitting = formats.is_null() | formats.is_in(list(self.formats))
        seen = texts.str.contains(_SEEN_AS_A_DATE).fill_null(value=False)
        days = (keep(numbers, days & fitting & seen) - DAY_OF_1970).cast(pl.Int32).cast(pl.Date)
        return self._plausible(lambda dates: dates, days.dt.to_string("%Y-%m-%d"))

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read a day counted from 1899-12-30, where people see a date.

        A fraction is a time of day, and fails as it does in a text: dropping it would be a guess.
        """
        self._refuse_what_is_no_date(cell, convention)
        day = floor(cell.number)
        if cell.number - day >= 1 / HARMLESS and not self._shows(day := day + 1, cell, convention):
            shown = kind(cell, convention) is NumberFormat.DATE_TIME
            raise CellError("not_a_date" if shown else "hidden_moment")
        if not FIRST_DAY <= day <= LAST_DAY:
            raise CellError("out_of_range")
        return self.parse(_day(day).isoformat(), convention)

    def _refuse_what_is_no_date(self, cell: NumberCell, convention: Convention) -> None:
        _refuse_what_shows_nothing(cell)
        seen = kind(cell, convention)
        bare = seen is None and by_digits(cell)  # 2026 is a year, not the 2026th day after 1899
        if not isfinite(cell.number) or bare or seen not in {None, *self.formats}:
            raise CellError("not_a_date")

    def _shows(self, day: int, cell: NumberCell, convention: Convention) -> bool:
        """Return whether people see a day that begins within dust after the number."""
        if day - cell.number >= 1 / HARMLESS or not FIRST_DAY <= day <= LAST_DAY:
            return False
        with suppress(CellError):
            return self.parse(cell.text or "", convention) == _day(day).isoformat()
        return False


@dataclass(frozen=True, kw_only=True)
class Time(Field):
    """A time of day, to the second."""

    may_end_the_day: bool = False  # so that 24:00, too, is midnight

    formats = frozenset({NumberFormat.TIME, NumberFormat.DATE_TIME, NumberFormat.DURATION})
    sql_type = sa.Time()

    def facts(
        self, _text: str, _convention: Convention, cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return what the cell hides."""
        number = cell.number if cell and FIRST_DAY <= cell.number <= LAST_DAY else 0
        day = _day(floor(number)).isoformat()
        return {"hidden": f"a date ({day})", "value": _clock_told(number) if cell else ""}

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 09:00:00; make it of 09:00."""
        minutes = "^(?:[01][0-9]|2[0-3]):[0-5][0-9]"
        return (
            lambda texts: matching(texts, minutes + "$") + ":00",
            lambda texts: matching(texts, minutes + ":[0-5][0-9]$"),
        )

    def parse(self, text: str, convention: Convention) -> str:
        """Read a time by 24 hours, or by 12 with am or pm; 9.30 only where it is written so."""
        if self.may_end_the_day and ends_the_day(text):
            return MIDNIGHT
        return _time(text, dotted=convention.dotted_times)

    def read_numbers(
        self, numbers: pl.Series, texts: pl.Series, formats: pl.Series, convention: Convention
    ) -> pl.Series:
        """Read fractions of a day that are just the time that people see."""
        seconds = (numbers * SECONDS + 0.5).floor()
        fitting = formats.is_null() | formats.is_in(list(self.formats))
        clock = keep(seconds, (numbers >= 0) & (seconds < SECONDS) & fitting)
        read = (clock.cast(pl.Int64) * NANOSECONDS).cast(pl.Time).dt.to_string("%H:%M:%S")
        shown = first_of(self.shortcuts(convention), texts)
        return keep(read, (read == shown).fill_null(value=False))

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read a fraction of a day, rounded to the second, where people see a time."""
        _refuse_what_shows_nothing(cell)
        shown = _time_shown(cell)
        if not isfinite(cell.number) or not self._is_seen(cell, shown, convention):
            raise CellError("not_a_time")
        seconds = floor(cell.number * SECONDS + 0.5)
        if self.may_end_the_day and seconds == SECONDS and shown in {None, 0}:
            return MIDNIGHT
        if shown is None and 0 <= seconds < SECONDS:
            return _clock_at(seconds)
        if shown is None or cell.number < 0:
            raise CellError("not_a_time")
        if cell.number >= 1:
            raise CellError("hidden_moment")
        if shown != seconds and not _shows_nearly(cell, shown):
            raise CellError("hidden_part")
        return _clock_at(shown)

    def _is_seen(self, cell: NumberCell, shown: int | None, convention: Convention) -> bool:
        """Return whether people see a time of day, and no date beside it."""
        seen = kind(cell, convention)
        if seen is NumberFormat.NUMBER:  # 9.30
            return shown is not None and shown == floor(cell.number % 1 * SECONDS + 0.5)
        if seen is None:
            return not by_digits(cell)
        ending = self.may_end_the_day and ends_the_day(cell.text or "")
        whole = seen is NumberFormat.DATE_TIME or cell.number >= 1
        return seen in self.formats and (shown is not None or ending or not whole)


@dataclass(frozen=True, kw_only=True)
class Moment(Field):
    """A moment with its offset from UTC, as systems write it; kept in UTC, to the second."""

    sql_type = sa.DateTime(timezone=True)

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 2026-04-03T09:00:00Z."""
        return (lambda texts: matching(texts, _ISO_MOMENT),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Read a moment by ISO 8601; without an offset it would be a guess."""
        bare = plain(text).strip()
        if not _DAY_THEN_TIME.match(bare):  # Python takes whatever stands between the two
            raise CellError("not_a_moment")
        try:
            moment = datetime.fromisoformat(bare)
            utc = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise CellError("not_a_moment") from None
        if moment.tzinfo is None or utc.year < ALL_YEARS[0]:
            raise CellError("not_a_moment")
        return utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


# Columns at once


def _iso_dates(texts: pl.Series) -> pl.Series:
    return matching(texts, f"^{_FOUR_DIGITS}-(?:{_SURE_DAYS})$")


def _turned(texts: pl.Series, day_first: bool) -> pl.Series:  # noqa: FBT001 - one of two orders
    """Make ISO dates of those that end in their year; nowhere does a dot follow the month."""
    orders = [(d, m) if day_first else (m, d) for m, d in _DAYS_OF_MONTHS]
    marks = "/-." if day_first else "/-"
    days = "|".join(f"(?:{one}){mark}(?:{two}){mark}" for one, two in orders for mark in marks)
    known = matching(texts, f"^(?:{days.replace('.', '[.]')}){_FOUR_DIGITS}$")
    cut = pl.col("date").str.slice
    day, month = (cut(0, 2), cut(3, 2)) if day_first else (cut(3, 2), cut(0, 2))
    turned = pl.concat_str(cut(6, 4), month, day, separator="-")
    return known.to_frame("date").select(turned).to_series()


# One text at a time


def _parts(text: str, convention: Convention) -> tuple[int, int, int]:
    """Read year, month and day, which may not be in the calendar. Raises CellError."""
    bare = _AT_MIDNIGHT.sub("", plain(text).strip())
    if found := _YEAR_FIRST.fullmatch(bare):
        return int(found[1]), int(found[3]), int(found[4])
    if found := _YEAR_LAST.fullmatch(bare):
        one, mark, two, year = found.groups()
        return int(year), *_in_order(int(one), int(two), int(year), mark, convention)
    return _with_month_name(bare, convention)


def _iso(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise CellError("impossible_date") from None


def _in_order(one: int, two: int, year: int, mark: str, convention: Convention) -> tuple[int, int]:
    """Return month and day of a date that ends in its year, where the locale says which is first.

    Nowhere does a month stand before a dot and the day.
    """
    day_first, month_first = (two, one), (one, two)  # month and day of each
    possible = {order for order in (day_first, month_first) if _is_possible(year, *order)}
    meant = {"dmy": day_first, "mdy": month_first, None: None}[convention.date_order]
    dotted = mark == "." and meant == month_first != day_first
    if meant is not None and not dotted and (meant in possible or not possible):
        return meant
    if not possible:
        raise CellError("impossible_date")
    if len(possible) > 1:
        raise CellError("ambiguous_date")
    raise CellError("other_order" if convention.date_order else "not_a_date")


def _is_possible(year: int, month: int, day: int) -> bool:
    with suppress(ValueError):
        return bool(date(year, month, day))
    return False


def _with_month_name(text: str, convention: Convention) -> tuple[int, int, int]:
    for order in _WITH_MONTH_NAME:
        found = order.fullmatch(text)
        month = convention.months.get(found["month"].casefold()) if found else None
        if found and month:
            return int(found["year"]), month, int(found["day"])
    raise CellError("not_a_date")


def _time(text: str, *, dotted: bool) -> str:
    found = _TIME.fullmatch(plain(text).strip())
    if not found:
        raise CellError("not_a_time")
    hours, mark, minutes, seconds, half = found.groups()
    unclear = not mark or (mark == "." and not dotted)
    if unclear and not half:
        raise CellError("not_a_time")
    return _clock(_hour(int(hours), half), int(minutes or 0), int(seconds or 0))


def ends_the_day(text: str) -> bool:
    """Return whether a text is midnight at the end of a day: 24:00."""
    return bool(_END_OF_DAY.fullmatch(plain(text).strip()))


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


# A number under a text


def _refuse_what_shows_nothing(cell: NumberCell) -> None:
    if cell.text is None:
        raise CellError("hidden_part") if cell.number else BlankError


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number - DAY_OF_1970)


def _time_shown(cell: NumberCell) -> int | None:
    """Return the seconds of the time of day that people see."""
    with suppress(CellError):
        clock = time.fromisoformat(_time(cell.text or "", dotted=True))
        return clock.hour * 3600 + clock.minute * 60 + clock.second
    return None


def _shows_nearly(cell: NumberCell, shown: int) -> bool:
    """Return whether a number is what people see but for a part of the last second."""
    place = 1 if (cell.text or "").count(":") > 1 else 60 / HARMLESS
    return abs(cell.number * SECONDS - shown) < place


def _clock_at(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    return _clock(*divmod(minutes, 60), second)


# What sentences name


def _clock_told(number: float) -> str:
    """Write the time of day in a number: 9:00, 9:00:30."""
    clock = _clock_at(floor(number % 1 * SECONDS + 0.5) % SECONDS)
    return clock.removeprefix("0").removesuffix(":00")


def _readings(text: str) -> list[str]:
    """Return the dates that a text may be, day first before month first."""
    found = _YEAR_LAST.fullmatch(_AT_MIDNIGHT.sub("", plain(text).strip()))
    if not found:
        return []
    year, one, two = int(found[4]), int(found[1]), int(found[3])
    dates = []
    for month, day in ((two, one), (one, two)):
        with suppress(CellError):
            dates.append(_iso(year, month, day))
    return list(dict.fromkeys(dates))


def _order_shown(text: str) -> str | None:
    """Return which of day and month is first in a text that shows it by a number above 12.

    It need not be a date that is read: 25/12/24 and 25/12/2024 9:00 show it, too.
    """
    found = _DAY_AND_MONTH.fullmatch(plain(text).strip())
    one, two = (int(found[1]), int(found[3])) if found else (0, 0)
    if not (0 < min(one, two) <= LAST_MONTH < max(one, two) <= LAST_DAY_OF_MONTH):
        return None
    return "dmy" if one > two else "mdy"


def _known_oddity(text: str, number: float | None, convention: Convention) -> str:
    """Say where a date comes from that nobody meant."""
    readings, years = _readings(text), _A_YEAR.findall(text)
    if number in {0, 1} or "1899-12-30" in (text, *readings) or _DAY_0.fullmatch(text):
        return " (the number 0, as of a formula that points at a blank cell)"
    year = int(years[0]) if years else 0
    if year in IRANIAN_OR_ISLAMIC:
        return " (a year of the Iranian or Islamic calendar)"
    if not PLAUSIBLE_YEARS[0] <= year - BUDDHIST <= PLAUSIBLE_YEARS[1]:
        return ""
    with suppress(CellError):
        _, month, day = _parts(text, convention)
        return f" (a year of the Buddhist calendar: write {_iso(year - BUDDHIST, month, day)})"
    return " (a year of the Buddhist calendar)"


def _oddity(text: str) -> str:
    """Say what may be wrong with a text that is no date."""
    if _SHORT_YEAR.fullmatch(plain(text)):
        return " (write the year with four digits)"
    return " (write it without a time of day)" if _WITH_TIME.fullmatch(plain(text)) else ""
