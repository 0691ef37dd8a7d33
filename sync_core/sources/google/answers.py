"""Google's answers, checked for all that they must hold: half an answer is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gspread.exceptions import GSpreadException
from gspread.utils import a1_range_to_grid_range, absolute_range_name, rowcol_to_a1

from sync_core.foundation.errors import SyncError
from sync_core.sources.google.refusals import DAMAGED, INCOMPLETE

_CORNERS = ("startRowIndex", "startColumnIndex", "endRowIndex", "endColumnIndex")

Answer = Mapping[str, Any]
Columns = list[list[Any]]


@dataclass(frozen=True)
class Cells:
    """A range of a tab: rows are numbered from 1, columns from 0."""

    title: str
    rows: range
    columns: range

    @property
    def a1(self) -> str:
        """The range as Google writes it: 'Locations'!A2:L20001."""
        first = rowcol_to_a1(self.rows.start, self.columns.start + 1)
        last = rowcol_to_a1(self.rows.stop - 1, self.columns.stop)
        return absolute_range_name(self.title, f"{first}:{last}")

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


def spreadsheet(answer: Answer) -> Spreadsheet:
    """Read the answer of spreadsheets.get. Raises SyncError where it is incomplete."""
    try:
        properties = answer["properties"]
        tabs = [_tab(sheet["properties"]) for sheet in answer["sheets"]]
        return Spreadsheet(str(properties["title"]), properties.get("locale"), tabs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _incomplete() from error


def _tab(properties: Mapping[str, Any]) -> Tab:
    grid = properties["gridProperties"] if properties["sheetType"] == "GRID" else {}
    return Tab(
        gid=int(properties["sheetId"]),
        title=str(properties["title"]),
        hidden=bool(properties.get("hidden")),
        rows=int(grid["rowCount"]) if grid else 0,
        columns=int(grid["columnCount"]) if grid else 0,
    )


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
    return [_values(found, cells) for found, cells in zip(ranges, asked, strict=True)]


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
    except (GSpreadException, ValueError, KeyError) as error:
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


def _incomplete() -> SyncError:
    return SyncError("google_unavailable", why=INCOMPLETE)
