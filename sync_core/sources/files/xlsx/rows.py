"""The rows of a tab, one after the other, as they stand in its part of the workbook."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from sync_core.catalogue.cell_address import letters
from sync_core.sources.files.xlsx.package import LARGEST_ROW, LARGEST_SHEET, Package, new_parser
from sync_core.sources.files.xlsx.parts import Attributes, Letters, is_true, whole_number

LAST_ROW, LAST_COLUMN = 1_048_576, 16_384  # of Excel
MOST_CELLS = 50_000_000  # that hold something
MOST_MERGES = 100_000

_REFERENCE = re.compile("([A-Z]{1,3})([1-9][0-9]{0,6})")


class RawCell(NamedTuple):
    """A cell that holds something, as it is kept; column 0 is A."""

    column: int
    kind: str  # "n" a number, "s" the number of a shared text, "b", "e" an error, "d" a date, ...
    style: str
    value: str | None
    has_formula: bool


class RawRow(NamedTuple):
    """A row that the part holds, by its number in the sheet."""

    number: int
    hidden: bool
    cells: list[RawCell]


class Merge(NamedTuple):
    """Cells that are merged to one; column 0 is A."""

    name: str  # A5:A7
    column: int
    last_row: int


@dataclass
class TabReader:
    """Reads a tab once, from its beginning; what stands beside the rows is known at the end."""

    package: Package
    part: str
    done: int = 0  # bytes of the part
    merges: list[Merge] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many bytes the part has."""
        return self.package.size(self.part)

    def rows(self) -> Iterator[RawRow]:
        """Read the rows in order. Raises SyncError."""
        elements = _Elements(self.package, self.merges)
        letters = elements.letters
        parser = new_parser(elements.start, elements.end, letters.pieces.append)
        for done in self.package.feed(self.part, parser, LARGEST_SHEET):
            self.done = done
            letters.require_short()
            yield from elements.rows
            elements.rows.clear()


class _Elements:
    """Makes rows of the elements of a tab; for ten million cells it has to be quick."""

    def __init__(self, package: Package, merges: list[Merge]) -> None:
        self.rows: list[RawRow] = []
        self.letters = Letters(package)
        self._package = package
        self._merges = merges
        self._row = RawRow(0, hidden=False, cells=[])
        self._cell: Attributes | None = None  # the present one's
        self._value: str | None = None
        self._has_formula = False
        self._column = -1  # of the cell before
        self._cells = 0  # that are kept, so far
        self._cells_of_row = 0
        self._characters = 0  # of the present row

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Note that an element begins."""
        if name == "v":
            self.letters.pieces.clear()
        elif name == "c":
            if self._cell is not None:
                raise self._package.damaged("a cell is inside another")
            self._cell, self._value, self._has_formula = attributes, None, False
        elif name == "row":
            self._begin_row(attributes)
        else:
            self._start_another(name, attributes)

    def _start_another(self, name: str, attributes: Attributes) -> None:
        self.letters.start(name, attributes)
        if name == "f":
            self._has_formula = True
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def end(self, name: str) -> None:
        """Note that an element ends."""
        if name == "v":
            self._value = "".join(self.letters.pieces)
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self.rows.append(self._row)
        elif name == "is":
            self._value = self.letters.take()
        else:
            self.letters.end(name)

    def _begin_row(self, attributes: Attributes) -> None:
        number = whole_number(attributes.get("r"), self._row.number + 1)
        if not self._row.number < number <= LAST_ROW:
            raise self._package.damaged(f"row {number} comes after row {self._row.number}")
        self._row = RawRow(number, is_true(attributes.get("hidden")), [])
        self._column, self._characters, self._cells_of_row = -1, 0, 0

    def _end_cell(self) -> None:
        cell, self._cell = self._cell or {}, None
        reference = cell.get("r")
        column = self._column + 1 if reference is None else column_of(reference)
        self._cells_of_row += 1
        if column >= LAST_COLUMN or self._cells_of_row > LAST_COLUMN:
            raise self._package.damaged(f"row {self._row.number} has a cell beyond the last column")
        self._column = column
        if self._value is not None or self._has_formula:
            self._keep(cell, column)

    def _keep(self, cell: Attributes, column: int) -> None:
        self._cells += 1
        if self._cells > MOST_CELLS:
            raise self._package.too_large("a tab", f"{MOST_CELLS:,} cells")
        self._characters += len(self._value or "")
        if self._characters > LARGEST_ROW:
            raise self._package.row_too_large(self._row.number)
        kind, style = cell.get("t", "n"), cell.get("s", "0")
        self._row.cells.append(RawCell(column, kind, style, self._value, self._has_formula))

    def _merge(self, name: str) -> None:
        first, _, last = name.partition(":")
        begins, ends = _REFERENCE.fullmatch(first), _REFERENCE.fullmatch(last)
        if begins and ends:
            self._merges.append(Merge(name, column_of(first), int(ends[2])))
        if len(self._merges) > MOST_MERGES:
            raise self._package.too_large("a tab", f"{MOST_MERGES:,} merged cells")


def column_of(reference: str) -> int:
    """Return the column of a cell such as AB12, 0 for A; LAST_COLUMN where it names none."""
    return _columns().get(reference.rstrip("0123456789"), LAST_COLUMN)


@cache
def _columns() -> dict[str, int]:
    return {letters(column): column for column in range(LAST_COLUMN)}
