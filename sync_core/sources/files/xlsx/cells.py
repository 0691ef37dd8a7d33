"""Cells: what people see of each, and what is under it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from math import isfinite
from typing import NamedTuple

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.source import NumberFormat
from sync_core.sources.files.xlsx.number_format import BUILT_IN, CellFormat
from sync_core.sources.files.xlsx.number_text import shown
from sync_core.sources.files.xlsx.package import Package
from sync_core.sources.files.xlsx.parts import SharedTexts, is_true, unescaped, whole_number
from sync_core.sources.files.xlsx.rows import RawCell

LONGEST_NUMBER = 40  # characters; a workbook keeps 17 digits
REMEMBERED = 16_384  # numbers whose text is kept
DAYS_TO_1904 = 1462
LEAP_DAY = 60  # of 1900, which there was not: days before it count one less
DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no time zones
SECONDS = 86_400
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_OF_A_DAY = frozenset({NumberFormat.DATE, NumberFormat.DATE_TIME})


class Value(NamedTuple):
    """What a cell holds; see `Page`."""

    text: str | None = None
    number: float | None = None
    shows: NumberFormat | None = None
    boolean: bool | None = None


@dataclass(frozen=True)
class CellReader:
    """Reads the cells of one workbook."""

    package: Package
    texts: SharedTexts
    formats: Sequence[CellFormat]
    convention: Convention
    days_from_1904: bool = False

    def read(self, cell: RawCell) -> Value:
        """Return what a cell holds. Raises SyncError (damaged_workbook)."""
        value = cell.value
        if not value:
            return Value()
        if cell.kind == "s":
            return Value(self._shared(value))
        if cell.kind == "n" and len(value) <= LONGEST_NUMBER:
            return self._numbers(value, cell.style)
        if cell.kind == "b":
            return Value("TRUE" if is_true(value) else "FALSE", boolean=is_true(value))
        if cell.kind == "d":
            return self._moment(value, cell.style)
        return Value(unescaped(value) if cell.kind == "str" else value)

    def _shared(self, value: str) -> str | None:
        try:
            return self.texts[whole_number(value, -1)] or None
        except IndexError:
            why = "a cell names a text that is not there"
            raise self.package.damaged(why) from None

    @cached_property
    def _numbers(self) -> Callable[[str, str], Value]:
        return lru_cache(REMEMBERED)(self._number)

    def _number(self, value: str, style: str) -> Value:
        number = float(value) if _NUMBER.fullmatch(value.strip()) else None
        if number is None or not isfinite(number):
            return Value(value)
        form = self._format(style)
        if form.shows not in _OF_A_DAY:
            return Value(shown(number, form, self.convention), number, form.shows)
        day = self._day(number)
        if self.days_from_1904 and not number:  # as of a formula that points at a blank cell
            return Value(shown(DAYS_TO_1904, form, self.convention), 0.0, form.shows)
        if day is None:
            return Value(f"1900-{'01-00' if number < 1 else '02-29'}", None, form.shows)
        return Value(shown(day, form, self.convention), day, form.shows)

    def _day(self, number: float) -> float | None:
        """Count a day from 1899-12-30; None for one that only spreadsheets know."""
        if self.days_from_1904:
            return number + DAYS_TO_1904
        if 1 <= number < LEAP_DAY:
            return number + 1
        return None if 0 <= number < 1 or LEAP_DAY <= number < LEAP_DAY + 1 else number

    def _moment(self, value: str, style: str) -> Value:
        """Read a day or moment that is kept as a text by ISO 8601."""
        try:
            moment = datetime.fromisoformat(value.strip()).replace(tzinfo=None)
        except ValueError:
            return Value(value)
        number = (moment - DAY_ZERO).total_seconds() / SECONDS
        form = self._format(style)
        if form.shows not in _OF_A_DAY:
            form = CellFormat(BUILT_IN[14 if number.is_integer() else 22])
        return Value(shown(number, form, self.convention), number, form.shows)

    def _format(self, style: str) -> CellFormat:
        index = whole_number(style)
        return self.formats[index if index < len(self.formats) else 0]
