"""Google Sheets: which tab, its header, and its rows in pages of columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gspread.utils import absolute_range_name, rowcol_to_a1

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources.google.client import Columns, GoogleClient
from sync_core.sources.kind import SourceSetting
from sync_core.sources.retry import Retrier

SPREADSHEET_URL = "https://docs.google.com/spreadsheets/d/"
PAGE_ROWS = 20_000  # of ten columns; about 3 MB of JSON, and constant memory
PAGE_CELLS = 400_000
TABS_TO_NAME = 20  # in an error

_NUMBERS = (int, float)  # not bool, which is an int


@dataclass(frozen=True, kw_only=True)
class GoogleTab:
    """A tab whose header row has been read; see `Sheet`."""

    client: GoogleClient
    name: str
    title: str
    gid: int
    locale: str | None
    headers: Sequence[str]
    header_row: int = 1
    notes: Sequence[str] = ()
    rows: int  # of the grid, most of them blank in a small sheet
    total: int | None  # rows of the grid below the header
    unit: Literal["rows", "bytes"] = "rows"
    modified: str | None  # when the spreadsheet was changed last, if Drive tells

    def pages(self, numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the rows in order; see `Sheet`."""
        if cursor is not None:
            self._must_be(cursor["modified"])
        size = max(1, min(PAGE_ROWS, PAGE_CELLS // len(self.headers)))
        blank = 0  # rows since the last page; they count only if another row follows
        for first in range(cursor["row"] if cursor else 2, self.rows + 1, size):
            last = min(first + size - 1, self.rows)
            texts = self.client.texts(_cells(self.title, first, last, len(self.headers)))
            height = max(map(len, texts), default=0)
            if height:
                yield self._page(texts, range(first, first + height), blank, last, numbers)
                blank = 0
            blank += last - first + 1 - height
        if self.modified and (now := self.client.modified()):
            self._must_be(now)

    def link(self, row: int, column: int) -> str | None:
        """Return the address of a cell in the browser."""
        cell = rowcol_to_a1(row, column + 1)
        return f"{SPREADSHEET_URL}{self.client.spreadsheet}/edit#gid={self.gid}&range={cell}"

    def _must_be(self, modified: str | None) -> None:
        if modified != self.modified:
            raise SyncError("source_changed_while_reading", name=self.name)

    def _page(
        self, texts: Columns, rows: range, blank: int, last: int, numbers: frozenset[int]
    ) -> Page:
        cells = texts + [[] for _ in range(len(self.headers) - len(texts))]
        return Page(
            rows=range(rows.start - blank, rows.stop),
            texts=[_padded(column, blank, len(rows)) for column in cells],
            numbers={
                column: _padded(values, blank, len(rows))
                for column, values in self._numbers(sorted(numbers), rows).items()
            },
            cursor={"row": rows.stop, "modified": self.modified} if self.modified else None,
            done=last - self.header_row,
        )

    def _numbers(self, columns: Sequence[int], rows: range) -> dict[int, list[float | None]]:
        if not columns:
            return {}
        ranges = [
            f"{rowcol_to_a1(rows.start, column + 1)}:{rowcol_to_a1(rows.stop - 1, column + 1)}"
            for column in columns
        ]
        found = self.client.values([absolute_range_name(self.title, cells) for cells in ranges])
        return {
            column: [float(value) if type(value) in _NUMBERS else None for value in values]
            for column, values in zip(columns, found, strict=True)
        }


@dataclass(frozen=True)
class SheetsSource:
    """The spreadsheet that a setting names."""

    setting: SourceSetting
    settings: Settings
    retry: Retrier

    def open(self, entity: Entity) -> GoogleTab:
        """Find the entity's tab and read its header. Raises SyncError."""
        client = GoogleClient(self.setting.location, self.settings, self.retry)
        modified = client.modified()  # before anything is read, or a change could slip through
        spreadsheet = client.metadata()
        tab = _choose(spreadsheet, self.setting.tab, entity)
        grid = tab["gridProperties"]
        name = f"The tab '{tab['title']}' of '{spreadsheet['properties']['title']}'"
        header = _cells(tab["title"], 1, 1, grid["columnCount"])
        headers = [column[0] if column else "" for column in client.texts(header)]
        if not headers:
            raise SyncError("empty_file", name=name)
        return GoogleTab(
            client=client,
            name=name,
            title=tab["title"],
            gid=tab["sheetId"],
            locale=self.setting.locale or spreadsheet["properties"].get("locale"),
            headers=headers,
            rows=grid["rowCount"],
            total=grid["rowCount"] - 1 or None,
            modified=modified,
        )


def _choose(spreadsheet: Mapping[str, Any], wanted: str | None, entity: Entity) -> dict[str, Any]:
    """Return a tab by gid or by title; without either, by the entity, or the only one there is."""
    sheets = [sheet["properties"] for sheet in spreadsheet["sheets"]]
    tabs = [tab for tab in sheets if tab.get("sheetType") == "GRID"]  # a chart has no cells
    for name in [wanted] if wanted else [entity.title, entity.name]:
        found = [tab for tab in tabs if str(tab["sheetId"]) == name]
        found += [tab for tab in tabs if _folded(tab["title"]) == _folded(name)]
        if found:
            return found[0]  # type: ignore[no-any-return] # JSON
    if not wanted and len(tabs) == 1:
        return tabs[0]  # type: ignore[no-any-return] # JSON
    names = ", ".join(f"'{tab['title']}'" for tab in tabs[:TABS_TO_NAME])
    title = spreadsheet["properties"]["title"]
    raise SyncError("tab_not_found", spreadsheet=title, tab=wanted or entity.title, tabs=names)


def _folded(title: str) -> str:
    return title.strip().casefold()


def _cells(title: str, first: int, last: int, columns: int) -> str:
    return absolute_range_name(title, f"A{first}:{rowcol_to_a1(last, columns)}")


def _padded(cells: list[Any], blank: int, height: int) -> list[Any]:
    return [None] * blank + cells[:height] + [None] * (height - len(cells))
