"""What people see of a number under a cell: an amount, a date, a time of day, a percentage."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import isfinite, log10

from sync_core.catalogue.fields.cells import plain
from sync_core.catalogue.fields.convention import Convention


class NumberFormat(StrEnum):
    """What the number format of a cell makes people see of the number under it."""

    NUMBER = "number"
    TEXT = "text"
    PERCENT = "percent"
    CURRENCY = "currency"
    SCIENTIFIC = "scientific"
    DATE = "date"
    TIME = "time"
    DATE_TIME = "date_time"
    DURATION = "duration"


MOMENTS = frozenset(
    {NumberFormat.DATE, NumberFormat.TIME, NumberFormat.DATE_TIME, NumberFormat.DURATION}
)
LONGEST = 400  # characters that are looked at; the smallest float has 327
HARMLESS = 1000  # a difference is none where it is smaller than the last shown place by this factor

_PERCENT = re.compile("[%\u2030\u066a\ufe6a\uff05]")
_SCIENTIFIC = re.compile(r"[-+]?[0-9](?:[.,][0-9]+)?E[-+]?[0-9]+", re.IGNORECASE)
_PLAIN_NUMBER = re.compile(r"[-+(]*[0-9][0-9 .,'\u2019\u066b\u066c]*[)-]?|[-+(]*[.,][0-9]+[)-]?")
_CLOCK = re.compile(
    r"[0-9] ?[:時点시] ?[0-9]{1,2}|[0-9] ?[hu][0-9]{2}|[0-9] ?[ap]\.?m\b", re.IGNORECASE
)
_CALENDAR = re.compile(
    r"(?<![0-9])(?:[0-9]{1,2}|[0-9]{4})([-/.]) ?[0-9]{1,2}\1 ?(?:[0-9]{4}|[0-9]{1,2})(?![0-9])"
    r"|(?<![0-9])[0-9]{1,4}/[0-9]{1,4}(?![0-9])|[0-9] ?[年月日년월일]"
)
_WORD = re.compile(r"[^\W\d_]{3,}")
_MARK = re.compile(r"[^\W\d_]+\.?")
_EXPONENT = re.compile(r"E[-+]?[0-9]+$", re.IGNORECASE)


@dataclass(frozen=True)
class NumberCell:
    """A number under a cell, the text that people see, and the kind of its format if known."""

    number: float
    text: str | None
    format: str | None = None


@dataclass(frozen=True)
class Shown:
    """A number as people see it; `place` is the value of one step of its last shown digit."""

    value: Decimal
    place: Decimal


def kind(cell: NumberCell, convention: Convention) -> NumberFormat | None:
    """Return what people see of the number; None where neither text nor format tells.

    The text wins, for a custom format may show anything, but a date may look like a number: 10.05.
    """
    looks = _looks(plain(cell.text or "").strip(), convention)
    told = NumberFormat(cell.format) if cell.format else None
    if looks is None or (looks is NumberFormat.NUMBER and told in MOMENTS):
        return told
    return looks


def _looks(text: str, convention: Convention) -> NumberFormat | None:
    if _PERCENT.search(text):
        return NumberFormat.PERCENT
    if _SCIENTIFIC.fullmatch(text):
        return NumberFormat.SCIENTIFIC
    clock, day = _CLOCK.search(text), _CALENDAR.search(text) or _names_a_month(text, convention)
    if clock:
        return NumberFormat.DATE_TIME if day else NumberFormat.TIME
    if day:
        return NumberFormat.DATE
    if _PLAIN_NUMBER.fullmatch(text):
        return NumberFormat.NUMBER
    if any(unicodedata.category(character) == "Sc" for character in text):
        return NumberFormat.CURRENCY
    marks = convention.currency_marks.intersection(_MARK.findall(text.upper()))
    return NumberFormat.CURRENCY if marks else None


def _names_a_month(text: str, convention: Convention) -> bool:
    return any(word.casefold() in convention.months for word in _WORD.findall(text))


def by_digits(cell: NumberCell) -> Shown | None:
    """Read the digits of any text at the scale of its number; None where they are of another one.

    So 1.5K is 1500, and a format of other marks than the locale's is read all the same.
    """
    text = _EXPONENT.sub("", (cell.text or "")[:LONGEST])
    digits = int("".join(str(int(c)) for c in text if c.isdecimal()) or "0")
    if not digits or not isfinite(cell.number) or not cell.number:
        return Shown(Decimal(0), Decimal(1)) if cell.number == 0 == digits else None
    place = Decimal(1).scaleb(round(log10(abs(cell.number)) - log10(digits)))
    shown = Shown(Decimal(digits).copy_sign(Decimal(cell.number)) * place, place)
    return shown if gap(cell, shown) < place else None


def gap(cell: NumberCell, shown: Shown) -> Decimal:
    """Return how far a number is from what people see of it."""
    return abs(Decimal(repr(cell.number)) - shown.value)


def is_harmless(cell: NumberCell, shown: Shown) -> bool:
    """Return whether the number is the shown one but for dust that nobody put there."""
    return gap(cell, shown) < shown.place / HARMLESS


def told(cell: NumberCell) -> str:
    """Write the number for a sentence, so far that it differs from what people see."""
    if not isfinite(cell.number):
        return str(cell.number)
    whole, _, part = format(Decimal(f"{cell.number:.15g}"), "f").partition(".")
    shown = by_digits(cell)
    decimals = max(0, -place_of(shown.value)) + 3 if shown else len(part)
    return f"{whole}.{part[:decimals]}…" if len(part) > decimals else f"{whole}.{part}".rstrip(".")


def place_of(value: Decimal) -> int:
    """Return the exponent of a number's last digit: -2 of 95.65, 0 of 95."""
    return int(value.as_tuple().exponent)
