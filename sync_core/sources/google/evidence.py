"""Whether what is shown in a cell and what is under it can be of one cell, and what it tells.

Google hands out texts, values and number formats by requests of their own, between which somebody
may edit the sheet. A format costs a request, which is needed only where the text does not tell it.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from math import floor, isfinite
from typing import Any

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.fields.number_formats import MOMENTS, NumberCell, NumberFormat, kind
from sync_core.sources.google.number_formats import Format

DAY_0 = date(1899, 12, 30)
FIRST_DAY, LAST_DAY = -693_593, 2_958_465  # the years 1 and 9999
DUST = 1e-6  # of a day
LONGEST = 40  # characters of a text that may be a number and no more

_DIGITS = re.compile(r"\d+")
_CLOCK = re.compile(r"(\d+)\D{1,3}(\d{1,2})")
_EXPONENT = re.compile(r"E([-+]?\d+)$", re.IGNORECASE)
_LAST_MARK = re.compile(r"[.,\u066b](\d+)\D*$")
_WORD = re.compile(r"[^\W\d_]{3,}")


def mismatch(texts: Sequence[str], values: Sequence[Any]) -> int | None:
    """Return the first place of a column at which text and value cannot be of one cell.

    A number may be hidden by its format, which may also put words around a text; but nothing is
    shown where nothing is, and no digits where something is true or false.
    """
    if texts == values:
        return None
    for place, (text, value) in enumerate(zip_longest(texts, values, fillvalue="")):
        if isinstance(value, str) and text != value and not (value and value in text):
            return place
        if isinstance(value, bool) and any(map(str.isdecimal, text)):
            return place
    return None


def slipped(texts: Sequence[str], values: Sequence[Any]) -> int | None:
    """Return the first place of a column at which the text is that of another row.

    A format may hide a text or show another word instead, and a formula may say something else at
    each look: none of these is a text of the column that stands in a wrong row.
    """
    if texts == values:
        return None
    elsewhere = {value for value in values if isinstance(value, str)}
    for place, (text, value) in enumerate(zip(texts, values, strict=False)):
        if isinstance(value, str) and text in elsewhere and value not in text:
            return place
    return None


def tells(convention: Convention, text: str, number: float) -> bool:
    """Return whether the text alone says what people see of the number, and that it is this one."""
    seen = kind(NumberCell(number, text), convention)
    if seen is None:
        return False
    return _has_moment(text, number) if seen in MOMENTS else has_digits(text, number)


def contradicts(text: str, number: float, form: Format) -> bool:
    """Return whether a format cannot show the number as this text."""
    if not any(map(str.isdecimal, text)):
        return not text and not form.may_hide
    shows = form.shows
    if shows in {NumberFormat.DATE, NumberFormat.DATE_TIME}:
        days = {day.day for day in _days(number)}
        return form.tells_the_day and not days & _parts(text)
    if shows in MOMENTS or not form.tells_all_digits or has_digits(text, number):
        return False
    return not has_digits(text.replace("%", ""), number)  # 95, and a % that is but a word: 0"%"


def has_digits(text: str, number: float) -> bool:
    """Return whether a text shows the digits of a number, rounded or not."""
    if not isfinite(number) or len(text) > LONGEST:
        return False
    exponent = _EXPONENT.search(text)
    mantissa = text[: exponent.start()] if exponent else text
    digits = "".join(str(int(character)) for character in mantissa if character.isdecimal())
    if not digits:
        return False
    shift = int(exponent[1]) if exponent else -2 if "%" in text else 0
    decimal = _LAST_MARK.search(mantissa)
    places = {0, -len(decimal[1]) if decimal else 0}  # the last mark may part thousands
    return any(_is(int(digits), place + shift, number) for place in places)


def _is(digits: int, place: int, number: float) -> bool:
    one = Decimal(1).scaleb(place)
    return abs(digits * one - abs(Decimal(repr(number)))) < one


def _has_moment(text: str, number: float) -> bool:
    """Return whether a text shows the day or the time of day that a number is."""
    clock = _CLOCK.search(text)
    return _has_date(text, number) or bool(clock and _has_time(clock, number))


def _has_date(text: str, number: float) -> bool:
    parts = _parts(text)
    return any(
        day.day in parts and (day.month in parts or _WORD.search(text)) for day in _days(number)
    )


def _has_time(clock: re.Match[str], number: float) -> bool:
    hours, minute = divmod(floor(number * 24 * 60 + 0.01), 60)
    return int(clock[2]) == minute and int(clock[1]) in {hours, hours % 24, hours % 12, 12}


def _parts(text: str) -> set[int]:
    return set(map(int, _DIGITS.findall(text[:LONGEST])))


def _days(number: float) -> set[date]:
    """Return the day of a number, and the next one where only dust is missing to it."""
    counted = {floor(number), floor(number + DUST)} if FIRST_DAY <= number <= LAST_DAY else set()
    return {DAY_0 + timedelta(days=day) for day in counted}
