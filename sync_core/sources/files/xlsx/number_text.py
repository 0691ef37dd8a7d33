"""What people see of a number in a cell that is wide enough.

Months are written in English, decimals as the workbook's people write them. Fractions such as
1 1/2, and what a format hides, are written as plain numbers.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from sync_core.catalogue.fields import Convention
from sync_core.sources.files.xlsx.number_format import CellFormat, Section
from sync_core.sources.files.xlsx.number_pattern import Token

DAY_ZERO = date(1899, 12, 30)
LAST_DAY = 2_958_465  # the end of the year 9999
SECONDS = 86_400  # of a day
NO_DAY = "########"  # is shown where a number is no day of the calendar

MONTHS = (
    "January February March April May June July August September October November December".split()
)
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

_KEPT = 15  # digits of a number in a workbook
_HALF_UP = Context(rounding=ROUND_HALF_UP)


def shown(number: float, form: CellFormat, convention: Convention) -> str:
    """Return the text of a number; a day is counted from 1899-12-30."""
    section, negative = form.section(number)
    if section.kinds & {"moment", "elapsed"}:
        return _moment(section, number)
    if "place" in section.kinds and not section.is_fraction:
        text = section.pattern.write(Decimal(repr(abs(number))), convention)
    else:
        text = _words(section, general(abs(number), convention))
    text = text.strip() or general(abs(number), convention)
    return f"-{text}" if negative else text


def general(number: float, convention: Convention) -> str:
    """Write a number that has no format."""
    if number.is_integer() and abs(number) < 10**_KEPT:
        return str(int(number))
    digits = Decimal(f"{number:.{_KEPT}g}")
    text = f"{digits:f}" if abs(digits.adjusted()) < _KEPT else f"{number:.{_KEPT}G}"
    return text.replace(".", convention.decimal_mark)


def _words(section: Section, number: str) -> str:
    """Write a section without places: words, or words around the number."""
    if section.is_fraction:
        return number
    texts = {"general": number, "at": number}
    return "".join(
        texts.get(token.kind, token.text) for token in section.tokens if token.kind != "group"
    )


# Dates and times


def _moment(section: Section, number: float) -> str:
    if abs(number) > LAST_DAY:
        return NO_DAY
    seconds = _HALF_UP.quantize(Decimal(repr(number)) * SECONDS, section.tick)
    if "elapsed" in section.kinds:
        sign = "-" if seconds < 0 else ""
        return sign + _written(section.tokens, DAY_ZERO, abs(seconds))
    days, rest = divmod(seconds, SECONDS)
    if not 0 <= days <= LAST_DAY:
        return NO_DAY
    return _written(section.tokens, DAY_ZERO + timedelta(days=int(days)), rest)


def _written(tokens: Sequence[Token], day: date, seconds: Decimal) -> str:
    """Write a day and the seconds since its beginning, or those that have gone by."""
    halves = any(token.kind == "half" for token in tokens)
    text = ""
    for kind, letters in tokens:
        if kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[letters[0]]
            text += f"{int(seconds // unit):0{len(letters)}}"
        elif kind == "moment":
            text += _unit(letters, day, seconds, halves=halves)
        elif kind == "half":
            text += _half(letters, seconds)
        else:
            text += letters
    return text.strip()


def _unit(letters: str, day: date, seconds: Decimal, *, halves: bool) -> str:
    first, width = letters[0], len(letters)
    if first in "ymd":
        return _of_day(first, width, day)
    if first == "s":
        return f"{seconds % 60:0{width}.{len(letters.partition('.')[2])}f}"
    hour = int(seconds // 3600) % 24
    number = int(seconds // 60) % 60 if first == "n" else (hour % 12 or 12) if halves else hour
    return f"{number:0{min(width, 2)}}"


def _of_day(first: str, width: int, day: date) -> str:
    if first == "y":
        return f"{day.year % 100:02}" if width <= 2 else str(day.year)  # noqa: PLR2004 - yy, yyyy
    if width <= 2:  # noqa: PLR2004 - d, dd
        return f"{day.day if first == 'd' else day.month:0{width}}"
    name = WEEKDAYS[day.weekday()] if first == "d" else MONTHS[day.month - 1]
    return {3: name[:3], 5: name[0]}.get(width, name)


def _half(letters: str, seconds: Decimal) -> str:
    half = "AM" if int(seconds // 3600) % 24 < 12 else "PM"  # noqa: PLR2004 - noon
    return half if len(letters) > len("A/P") else half[0]
