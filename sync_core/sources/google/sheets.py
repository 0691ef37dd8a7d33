"""Google Sheets: which tab, its header, and its rows in pages of columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any, Literal

from gspread.utils import rowcol_to_a1

from sync_core.catalogue import header_row as header_rows
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources.google import tabs
from sync_core.sources.google.answers import Cells, Columns, Tab
from sync_core.sources.google.client import GoogleClient
from sync_core.sources.google.moment import Moment
from sync_core.sources.google.rows import ReadBlock, RowReader, rows_of_a_page
from sync_core.sources.kind import OnTraffic, SourceSetting
from sync_core.sources.retry import Retrier
from sync_core.sources.some import Some

SPREADSHEET_URL = "https://docs.google.com/spreadsheets/d/"
LOOKED_AT = header_rows.LOOKED_AT
MOST_COLUMNS = 18_278  # of Google: the last is ZZZ
MOST_CELLS = 100_000_000  # ten times as many as Google allows
WORKBOOKS = frozenset(  # as Drive names them: Sheets shows them, but its API does not read them
    {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/vnd.ms-excel",
    }
)

_NUMBERS = (int, float)  # not bool, which is an int


@dataclass(frozen=True, kw_only=True)
class GoogleTab:
    """A tab whose header row has been read; see `Sheet`."""

    client: GoogleClient
    tab: Tab
    name: str
    locale: str | None
    headers: Sequence[str]
    header_row: int
    declared: frozenset[int]  # columns that are fields of the entity
    moment: Moment
    unit: Literal["rows", "bytes"] = "rows"
    found: list[str] = field(default_factory=list)  # notes of what was found while it was read

    @property
    def title(self) -> str:
        """The tab's title."""
        return self.tab.title

    @property
    def total(self) -> int | None:
        """The rows of the grid below the header, most of them blank in a small sheet."""
        return self.tab.rows - self.header_row or None

    @property
    def version(self) -> str | None:
        """When the spreadsheet was changed last, if Drive tells."""
        return self.moment.modified

    @property
    def changed_at(self) -> datetime | None:
        """When the spreadsheet was changed last, if Drive tells; see `Dated`."""
        modified = self.moment.modified
        return datetime.fromisoformat(modified) if modified else None

    @property
    def notes(self) -> Sequence[str]:
        """What people may not see of the tab, and what could not be checked; see `Sheet`."""
        hidden = f"{self.title}: the tab is hidden; it was read all the same."
        return [hidden, *self.found] if self.tab.hidden else self.found

    def pages(self, numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the rows in order; see `Sheet`."""
        if cursor is not None:
            self.moment.must_be(cursor["modified"])
        for blank, read in self._filled(cursor["row"] if cursor else self.header_row + 1, numbers):
            yield from map(self._blank_page, _cut(blank, rows_of_a_page(len(self.headers))))
            yield self._page(read)
        self.found.extend(self._merged())
        self.found.extend(self.moment.must_have_lasted())

    def link(self, row: int, column: int) -> str | None:
        """Return the address of a cell in the browser."""
        cell = rowcol_to_a1(row, column + 1)
        return f"{SPREADSHEET_URL}{self.client.spreadsheet}/edit#gid={self.tab.gid}&range={cell}"

    def _filled(self, first: int, numbers: frozenset[int]) -> Iterator[tuple[range, ReadBlock]]:
        """Read the blocks that show something, each with the blank rows before it.

        A blank block is suspicious below a row at the end of another, and above more rows.
        """
        reader, gaps, shown, full = self._reader(), list[ReadBlock](), first, True
        for asked in reader.blocks(first):
            read = reader.read(asked, numbers)
            rows, height = read.block.rows, read.block.height
            for gap in gaps if height else [read] if full else []:
                reader.must_be_blank(gap)
            if height:
                self.moment.saw(reader.cells(rows), read.block.texts, height)
                yield range(shown, rows.start), read
                gaps, shown = [], rows.start + height
            else:
                gaps.append(read)
            full = height == len(rows)

    def _merged(self) -> Iterator[str]:
        """Tell which cells of the table are merged: only the first of each holds a value."""
        merged = Some()
        for cells in self.tab.merges:
            below_header = cells.rows.stop - 1 > self.header_row
            if below_header and cells.columns.start < len(self.headers):
                merged.add(cells.name)
        if merged.count:
            first = f"{merged.many('range')} merged, and only the first cell of each holds a value"
            yield f"{self.title}: {first}: {merged}."

    def _reader(self) -> RowReader:
        return RowReader(
            client=self.client,
            title=self.title,
            name=self.name,
            width=len(self.headers),
            last=self.tab.rows,
            locale=self.locale,
            declared=self.declared,
        )

    def _page(self, read: ReadBlock) -> Page:
        rows, height = read.block.rows, read.block.height
        under = read.values.items()
        judged = [(column, values) for column, values in under if bool in set(map(type, values))]
        return Page(
            rows=rows[:height],
            texts=[_padded(column, height) for column in read.block.texts],
            numbers={i: _padded(list(map(_number, values)), height) for i, values in under},
            formats={i: [f and f.shows for f in told[:height]] for i, told in read.formats.items()},
            booleans={i: _padded(list(map(_boolean, values)), height) for i, values in judged},
            cursor=self._cursor(rows[height - 1]),
            done=rows[-1] - self.header_row,
        )

    def _blank_page(self, rows: range) -> Page:
        texts = [[None] * len(rows) for _ in self.headers]
        return Page(rows, texts, cursor=self._cursor(rows[-1]), done=rows[-1] - self.header_row)

    def _cursor(self, row: int) -> dict[str, Any] | None:
        """Return where reading can go on after a row, if it can be known that nothing changed."""
        modified = self.moment.modified
        return {"row": row + 1, "modified": modified} if modified else None


@dataclass(frozen=True)
class SheetsSource:
    """The spreadsheet that a setting names."""

    setting: SourceSetting
    settings: Settings
    retry: Retrier
    on_traffic: OnTraffic

    def open(self, entity: Entity) -> GoogleTab:
        """Find the entity's tab and read its header. Raises SyncError."""
        client = GoogleClient(self.setting.location, self.settings, self.retry, self.on_traffic)
        file = client.file()  # before anything is read, or a change could slip through
        if file and file.kind in WORKBOOKS:
            raise SyncError("workbook_in_drive", id=self.setting.location)
        spreadsheet = client.metadata()
        tab = tabs.choose(spreadsheet, self.setting, entity)
        name = f"The tab '{tab.title}' of '{spreadsheet.title}'"
        _refuse_a_large_grid(tab, name)
        wanted = self.setting.header_row
        last = min(tab.rows, max(LOOKED_AT, wanted or 0))
        cells = Cells(tab.title, range(1, last + 1), range(tab.columns))
        top = _top(client, cells, name)
        row, headers = _header(top, entity, name, wanted)
        tabs.confirm(spreadsheet, tab, headers, self.setting.tab, entity)
        labels = [header_rows.tidied(header) for header in headers]
        return GoogleTab(
            client=client,
            tab=tab,
            name=name,
            locale=self.setting.locale or spreadsheet.locale,
            headers=headers,
            header_row=row,
            declared=frozenset(
                column
                for declared in entity.fields
                for column in header_rows.columns_of(declared, labels)
            ),
            moment=Moment(
                client, spreadsheet, tab, name, file.modified if file else None, (cells, top)
            ),
            found=[header_rows.note(entity, row)] if row > 1 and not wanted else [],
        )


def _refuse_a_large_grid(tab: Tab, name: str) -> None:
    """Refuse a grid that would be read for ever, also where most of it is blank."""
    if tab.columns > MOST_COLUMNS:
        raise SyncError("grid_too_large", name=name, limit=f"{MOST_COLUMNS:,} columns")
    if tab.columns * tab.rows > MOST_CELLS:
        raise SyncError("grid_too_large", name=name, limit=f"{MOST_CELLS:,} cells")


def _top(client: GoogleClient, cells: Cells, name: str) -> Columns:
    """Read the first rows; another of Google's methods says whether they may be blank."""

    def read() -> Columns:
        top = client.texts(cells)
        if not any(top) and client.filled([cells]) != [0]:
            raise SyncError("google_contradicts", name=name, cell="A1")
        return top

    return replace(client.retry, only="google_contradicts")(read)


def _header(top: Columns, entity: Entity, name: str, wanted: int | None) -> tuple[int, list[str]]:
    """Return number and cells of the header row, which blank rows and a title may precede."""
    rows = [_trimmed(row) for row in zip_longest(*top, fillvalue="")]
    if wanted:
        if not any(rows[wanted - 1 : wanted]):
            raise SyncError("no_header_row", name=name, row=wanted)
        return wanted, rows[wanted - 1]
    blank = next((place for place, row in enumerate(rows) if row), None)
    if blank is None:
        raise SyncError("empty_file", name=name)
    index = blank + header_rows.find(rows[blank:], entity)
    return index + 1, rows[index]


def _trimmed(row: Sequence[str]) -> list[str]:
    """Return the cells of a row to the last one that shows anything."""
    width = max((place + 1 for place, cell in enumerate(row) if cell.strip()), default=0)
    return list(row[:width])


def _cut(rows: range, size: int) -> Iterator[range]:
    """Cut rows into those of one page each."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _padded(cells: Sequence[Any], height: int) -> list[Any]:
    return [*cells[:height]] + [None] * (height - len(cells))


def _number(value: object) -> float | None:
    return float(value) if type(value) in _NUMBERS else None  # type: ignore[arg-type] # just tested


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
