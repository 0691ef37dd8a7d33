"""Google Sheets: which tab, its header, and its rows in pages of columns."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal, Self

from gspread.utils import rowcol_to_a1

from sync_core.catalogue import header_row as header_rows
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources.google import tabs
from sync_core.sources.google.answers import Cells, Columns, Tab
from sync_core.sources.google.bodies import LARGEST_BODY, TooLargeError
from sync_core.sources.google.client import GoogleClient
from sync_core.sources.google.evidence import contradiction
from sync_core.sources.google.moment import Moment
from sync_core.sources.kind import OnTraffic, SourceSetting
from sync_core.sources.retry import Retrier

SPREADSHEET_URL = "https://docs.google.com/spreadsheets/d/"
PAGE_ROWS = 20_000  # of ten columns; about 3 MB of JSON, and constant memory
PAGE_CELLS = 400_000

LOOKED_AT = header_rows.LOOKED_AT

Under = Mapping[int, list[Any]]  # the values under the cells of columns

_NUMBERS = (int, float)  # not bool, which is an int


@dataclass(frozen=True)
class Block:
    """Rows as they were asked for, the last of which may be blank."""

    rows: range
    texts: Columns

    @property
    def height(self) -> int:
        """How many rows there are to the last that shows anything."""
        return max(map(len, self.texts), default=0)

    def pieces(self, size: int) -> Iterator[Self]:
        """Cut a block into blocks of so many rows; blank rows at its end stay in one."""
        for start in range(0, max(1, self.height), size):
            stop = start + size if start + size < self.height else len(self.rows)
            yield type(self)(self.rows[start:stop], [column[start:stop] for column in self.texts])


@dataclass(frozen=True, kw_only=True)
class GoogleTab:
    """A tab whose header row has been read; see `Sheet`."""

    client: GoogleClient
    tab: Tab
    name: str
    locale: str | None
    headers: Sequence[str]
    header_row: int
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
    def notes(self) -> Sequence[str]:
        """What people may not see of the tab, and what could not be checked; see `Sheet`."""
        hidden = f"{self.title}: the tab is hidden; it was read all the same."
        return [hidden, *self.found] if self.tab.hidden else self.found

    def pages(self, numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the rows in order; see `Sheet`."""
        if cursor is not None:
            self.moment.must_be(cursor["modified"])
        blank = range(0)  # rows since the last page; they count only if another row follows
        for block in self._blocks(cursor["row"] if cursor else self.header_row + 1):
            read, under = self._with_values(block, numbers)
            if read.height:
                self.moment.saw(self._cells(read.rows), read.texts, read.height)
                yield from map(self._blank_page, _cut(blank))
                yield self._page(read, under)
                blank = range(0)
            shown = read.rows.start + read.height
            blank = range(blank.start or shown, read.rows.stop)
        self.found.extend(self.moment.must_have_lasted())

    def link(self, row: int, column: int) -> str | None:
        """Return the address of a cell in the browser."""
        cell = rowcol_to_a1(row, column + 1)
        return f"{SPREADSHEET_URL}{self.client.spreadsheet}/edit#gid={self.tab.gid}&range={cell}"

    def _blocks(self, first: int) -> Iterator[Block]:
        """Read the texts from a row on; once they end in blank rows, all the rest at once."""
        size, ends = max(1, min(PAGE_ROWS, PAGE_CELLS // len(self.headers))), False
        while first <= self.tab.rows:
            last = self.tab.rows if ends else min(first + size - 1, self.tab.rows)
            rows = range(first, last + 1)
            try:
                block = Block(rows, self.client.texts(self._cells(rows)))
            except TooLargeError as error:
                self._refuse_a_single_row(rows, error)
                size, ends = (size, False) if ends else (size // 2, False)
                continue
            yield from block.pieces(size)
            ends = block.height < len(rows)
            first = last + 1

    def _with_values(self, block: Block, numbers: frozenset[int]) -> tuple[Block, Under]:
        """Return a block and what is under its cells, once they fit together. Raises SyncError."""
        given = [block]

        def read() -> tuple[Block, Under]:
            rows = block.rows
            seen = given.pop() if given else Block(rows, self.client.texts(self._cells(rows)))
            return seen, self._under(seen, numbers)

        return self.client.retry(read)

    def _under(self, block: Block, numbers: frozenset[int]) -> Under:
        """Read the values under columns; where nothing is shown, of all: for nothing may be there.

        They are asked for down to the end of the block, and would reveal that texts are missing.
        """
        columns = sorted(numbers) if block.height else range(len(self.headers))
        runs = list(_runs(columns))
        found = self._values(block.rows, runs) if runs else []
        under = {
            column: values
            for run, cells in zip(runs, found, strict=True)
            for column, values in zip(run, cells, strict=True)
        }
        for column, values in under.items():
            if (place := contradiction(block.texts[column], values)) is not None:
                cell = rowcol_to_a1(block.rows[place], column + 1)
                raise SyncError("google_contradicts", name=self.name, cell=cell)
        return under

    def _values(self, rows: range, runs: Sequence[range]) -> list[Columns]:
        """Read the values under ranges of columns, in parts where they are too large for one."""
        try:
            return self.client.values([Cells(self.title, rows, run) for run in runs])
        except TooLargeError as error:
            self._refuse_a_single_row(rows, error)
        half = len(rows) // 2
        upper, lower = self._values(rows[:half], runs), self._values(rows[half:], runs)
        return [_below(above, below, half) for above, below in zip(upper, lower, strict=True)]

    def _refuse_a_single_row(self, rows: range, error: TooLargeError) -> None:
        if len(rows) == 1:
            limit = f"{LARGEST_BODY >> 20} MB"
            raise SyncError("cell_too_large", name=self.name, row=rows[0], limit=limit) from error

    def _page(self, block: Block, under: Under) -> Page:
        height, numbers, booleans = block.height, {}, {}
        for column, values in under.items():
            numbers[column] = _padded(list(map(_number, values)), height)
            if bool in set(map(type, values)):
                booleans[column] = _padded(list(map(_boolean, values)), height)
        return Page(
            rows=block.rows[:height],
            texts=[_padded(column, height) for column in block.texts],
            numbers=numbers,
            booleans=booleans,
            cursor=self._cursor(block.rows[height - 1]),
            done=block.rows[-1] - self.header_row,
        )

    def _blank_page(self, rows: range) -> Page:
        texts = [[None] * len(rows) for _ in self.headers]
        return Page(rows, texts, cursor=self._cursor(rows[-1]), done=rows[-1] - self.header_row)

    def _cursor(self, row: int) -> dict[str, Any] | None:
        """Return where reading can go on after a row, if it can be known that nothing changed."""
        modified = self.moment.modified
        return {"row": row + 1, "modified": modified} if modified else None

    def _cells(self, rows: range) -> Cells:
        return Cells(self.title, rows, range(len(self.headers)))


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
        spreadsheet = client.metadata()
        tab = tabs.choose(spreadsheet, self.setting.tab, entity)
        name = f"The tab '{tab.title}' of '{spreadsheet.title}'"
        cells = Cells(tab.title, range(1, min(tab.rows, LOOKED_AT) + 1), range(tab.columns))
        top = client.texts(cells)
        row, headers = _header(top, entity, name)
        tabs.confirm(spreadsheet, tab, headers, self.setting.tab, entity)
        return GoogleTab(
            client=client,
            tab=tab,
            name=name,
            locale=self.setting.locale or spreadsheet.locale,
            headers=headers,
            header_row=row,
            moment=Moment(
                client, spreadsheet, tab, name, file.modified if file else None, (cells, top)
            ),
            found=[header_rows.note(entity, row)] if row > 1 else [],
        )


def _header(top: Columns, entity: Entity, name: str) -> tuple[int, list[str]]:
    """Return number and cells of the header row, which blank rows and a title may precede."""
    rows = [_trimmed(row) for row in zip_longest(*top, fillvalue="")]
    blank = next((place for place, row in enumerate(rows) if row), None)
    if blank is None:
        raise SyncError("empty_file", name=name)
    index = blank + header_rows.find(rows[blank:], entity)
    return index + 1, rows[index]


def _trimmed(row: Sequence[str]) -> list[str]:
    """Return the cells of a row to the last one that shows anything."""
    width = max((place + 1 for place, cell in enumerate(row) if cell.strip()), default=0)
    return list(row[:width])


def _runs(columns: Sequence[int]) -> Iterator[range]:
    """Group columns that stand side by side: Google counts and answers ranges."""
    start = None
    for place, column in enumerate(columns):
        start = column if start is None else start
        if place + 1 == len(columns) or columns[place + 1] != column + 1:
            yield range(start, column + 1)
            start = None


def _below(above: Columns, below: Columns, height: int) -> Columns:
    """Put columns under others that stand for so many rows."""
    return [
        [*upper, *[""] * (height - len(upper)), *lower] if lower else upper
        for upper, lower in zip(above, below, strict=True)
    ]


def _cut(rows: range) -> Iterator[range]:
    """Cut rows into those of one page each."""
    return (rows[start : start + PAGE_ROWS] for start in range(0, len(rows), PAGE_ROWS))


def _padded(cells: list[Any], height: int) -> list[Any]:
    return cells[:height] + [None] * (height - len(cells))


def _number(value: object) -> float | None:
    return float(value) if type(value) in _NUMBERS else None  # type: ignore[arg-type] # just tested


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
