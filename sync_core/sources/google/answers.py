"""Google's answers, checked for all that they must hold: half an answer is none."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from sys import float_info
from typing import Any

from gspread.exceptions import GSpreadException
from gspread.utils import a1_range_to_grid_range, absolute_range_name, rowcol_to_a1

from sync_core.foundation.errors import SyncError
from sync_core.sources.google.number_formats import Format
from sync_core.sources.google.refusals import DAMAGED, INCOMPLETE

_CORNERS = ("startRowIndex", "startColumnIndex", "endRowIndex", "endColumnIndex")

_NOT_AS_EXPECTED = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    GSpreadException,
)
_LARGEST = float_info.max
_OF_A_CELL = frozenset({str, int, float, bool})

Answer = Mapping[str, Any]
Columns = list[list[Any]]
Cell = Mapping[str, Any]


@dataclass(frozen=True)
class Cells:
    """A range of a tab: rows are numbered from 1, columns from 0."""

    title: str
    rows: range
    columns: range

    @property
    def name(self) -> str:
        """The range within its tab: A2:L20001."""
        first = rowcol_to_a1(self.rows.start, self.columns.start + 1)
        return f"{first}:{rowcol_to_a1(self.rows.stop - 1, self.columns.stop)}"

    @property
    def a1(self) -> str:
        """The range as Google writes it: 'Locations'!A2:L20001."""
        return absolute_range_name(self.title, self.name)

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """First row, first column, and the row and the column after the last, from 0."""
        rows, columns = self.rows, self.columns
        return rows.start - 1, columns.start, rows.stop - 1, columns.stop


@dataclass(frozen=True)
class Tab:
    """A tab of a spreadsheet; only one of cells has a grid."""

    gid: int
    title: str
    hidden: bool
    rows: int = 0
    columns: int = 0
    merges: Sequence[Cells] = ()

    @property
    def has_cells(self) -> bool:
        """Whether it is a grid of cells: no chart, and no view of a table elsewhere."""
        return self.rows > 0


@dataclass(frozen=True)
class Spreadsheet:
    """What is known of a spreadsheet before its cells are read."""

    title: str
    locale: str | None
    tabs: Sequence[Tab]


@contextmanager
def _whole() -> Iterator[None]:
    """Refuse an answer that lacks a part, or has another thing in its place. Raises SyncError."""
    try:
        yield
    except _NOT_AS_EXPECTED as error:
        raise _incomplete() from error


def spreadsheet(answer: Answer) -> Spreadsheet:
    """Read the answer of spreadsheets.get. Raises SyncError where it is incomplete."""
    with _whole():
        properties = answer["properties"]
        tabs = [_tab(sheet["properties"], sheet.get("merges", [])) for sheet in answer["sheets"]]
        locale = properties.get("locale")
        return Spreadsheet(_text(properties["title"]), locale and _text(locale), tabs)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _tab(properties: Mapping[str, Any], merges: Sequence[Mapping[str, int]]) -> Tab:
    grid = properties["gridProperties"] if properties["sheetType"] == "GRID" else {}
    title = _text(properties["title"])
    return Tab(
        gid=int(properties["sheetId"]),
        title=title,
        hidden=bool(properties.get("hidden")),
        rows=int(grid["rowCount"]) if grid else 0,
        columns=int(grid["columnCount"]) if grid else 0,
        merges=[_merge(title, merge) for merge in merges],
    )


def _merge(title: str, merge: Mapping[str, int]) -> Cells:
    top, left, bottom, right = (merge.get(corner, 0) for corner in _CORNERS)
    cells = Cells(title, range(top + 1, bottom + 1), range(left, right))
    _ = cells.name  # raises where these are no cells
    return cells


def texts(answer: Answer, cells: Cells) -> Columns:
    """Read the texts of a range: every column, cut after its last cell. Raises SyncError."""
    columns = _values(answer, cells)
    if any(set(map(type, column)) - {str} for column in columns):
        raise SyncError("google_unavailable", why=DAMAGED)
    return columns


def batch(answer: Answer, asked: Sequence[Cells]) -> list[Columns]:
    """Read the cells of several ranges, by column. Raises SyncError."""
    ranges = answer.get("valueRanges")
    if not isinstance(ranges, list) or len(ranges) != len(asked):
        raise _incomplete()
    found = [_values(one, cells) for one, cells in zip(ranges, asked, strict=True)]
    if not all(map(_is_of_cells, chain(*found))):
        raise SyncError("google_unavailable", why=DAMAGED)
    return found


def _is_of_cells(column: Sequence[Any]) -> bool:
    """Return whether a column holds what cells can hold: JSON may hold numbers that are none."""
    kinds = set(map(type, column))
    if kinds - _OF_A_CELL:
        return False
    numbers = (value for value in column if type(value) in {int, float})
    return not kinds & {int, float} or all(abs(number) <= _LARGEST for number in numbers)


def _values(found: object, cells: Cells) -> Columns:
    if not isinstance(found, dict) or found.get("majorDimension") != "COLUMNS":
        raise _incomplete()
    _refuse_another_range(found.get("range"), cells)
    columns = found.get("values", [])
    if not isinstance(columns, list) or len(columns) > len(cells.columns):
        raise SyncError("google_unavailable", why=DAMAGED)
    for column in columns:
        if not isinstance(column, list) or len(column) > len(cells.rows):
            raise SyncError("google_unavailable", why=DAMAGED)
    return columns + [[] for _ in range(len(cells.columns) - len(columns))]


def _refuse_another_range(a1: object, cells: Cells) -> None:
    try:
        found = a1_range_to_grid_range(str(a1).rpartition("!")[2])
        corners = tuple(found[corner] for corner in _CORNERS)
    except _NOT_AS_EXPECTED as error:
        raise _incomplete() from error
    if corners == cells.grid:
        return
    if (
        corners[:2] == cells.grid[:2]
        and corners[2] <= cells.grid[2]
        and corners[3] <= cells.grid[3]
    ):
        # Google cuts a range at the end of the grid, which was larger a moment ago
        raise SyncError("source_changed_while_reading", name="The Google Sheet")
    raise _incomplete()


def formats(answer: Answer, asked: Sequence[Cells]) -> list[list[Format]]:
    """Read the number formats of ranges of one column each. Raises SyncError."""
    columns = []
    with _whole():
        for rows, cells in zip(_grids(answer, asked), asked, strict=True):
            told = [_format(row[0]) if row else Format() for row in rows]
            columns.append(told + [Format()] * (len(cells.rows) - len(rows)))
    return columns


def filled(answer: Answer, asked: Sequence[Cells]) -> list[int]:
    """Count the cells of ranges that hold something. Raises SyncError."""
    with _whole():
        return [sum(map(_is_filled, chain(*rows))) for rows in _grids(answer, asked)]


def _grids(answer: Answer, asked: Sequence[Cells]) -> list[list[list[Cell]]]:
    """Return the cells of ranges by row; Google leaves out blank rows at the end, and zeros."""
    [sheet] = answer["sheets"]
    grids = []
    for found, cells in zip(sheet["data"], asked, strict=True):
        corner = found.get("startRow", 0), found.get("startColumn", 0)
        rows = [row.get("values", []) for row in found.get("rowData", [])]
        if corner != cells.grid[:2] or len(rows) > len(cells.rows):
            raise _incomplete()
        grids.append(rows)
    return grids


def _is_filled(cell: Cell) -> bool:
    value = cell.get("effectiveValue", {})
    return any(held != "" for held in value.values())


def _format(cell: Cell) -> Format:
    """Return the number format of a cell; without one, numbers are shown as they come."""
    told = cell.get("effectiveFormat", {}).get("numberFormat", {})
    return Format(str(told.get("type", "NUMBER")), str(told.get("pattern", "")))


def _incomplete() -> SyncError:
    return SyncError("google_unavailable", why=INCOMPLETE)
