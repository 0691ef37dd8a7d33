"""A tab of an XLSX workbook: its header, and its rows in pages of columns, in flat memory."""

import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from typing import Any, BinaryIO, Literal

from sync_core.catalogue import header_row as header_rows
from sync_core.catalogue.fields import Convention
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.sources.files import file_version
from sync_core.sources.files.xlsx.beside import Beside
from sync_core.sources.files.xlsx.cells import CellReader, Value
from sync_core.sources.files.xlsx.package import LARGEST_ROW, MB, Package, open_package
from sync_core.sources.files.xlsx.parts import (
    Contents,
    Tab,
    read_contents,
    read_formats,
    read_texts,
)
from sync_core.sources.files.xlsx.rows import RawCell, RawRow, TabReader
from sync_core.sources.tab_choice import Tabs

PAGE_ROWS = 20_000
PAGE_CELLS = 400_000
PAGE_CHARACTERS = 8 * MB
SHOWN = "#CALC!"  # of a formula that was never calculated: no field takes it


@dataclass(frozen=True, eq=False, kw_only=True)
class WorkbookSheet:
    """A tab whose header row has been read; see `Sheet`."""

    file: BinaryIO
    package: Package
    tab: Tab
    cells: CellReader
    locale: str | None
    headers: Sequence[str]
    header_row: int
    uncalculated: bool  # no formula of the workbook has a value that holds
    lasting: bool  # another process finds the same bytes there
    identity: Sequence[int]  # of the file
    found: Sequence[str]  # what was noted when the header was read
    unit: Literal["rows", "bytes"] = "bytes"
    seen: list[Beside] = field(default_factory=list)  # one for each time that all rows were read

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)

    @property
    def name(self) -> str:
        """What a sentence about it begins with."""
        return _name(self.tab, self.package)

    @property
    def title(self) -> str:
        """The tab's title."""
        return self.tab.title

    @property
    def total(self) -> int:
        """How many bytes the tab has, unpacked."""
        return self.package.size(self.tab.part)

    @property
    def version(self) -> Any:  # noqa: ANN401 - JSON
        """What is another one where the file was changed; see `Sheet`."""
        return self.identity if self.lasting else file_version.content(self.file)

    @property
    def notes(self) -> Sequence[str]:
        """What people may not see of the tab, and what was not read; see `Sheet`."""
        if not self.seen:
            for _ in self._rows(TabReader(self.package, self.tab.part)):
                pass
        return [*self.found, *self.seen[-1].notes(self.tab)]

    def pages(self, numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the rows in order; see `Sheet`."""
        if cursor is not None:
            self._must_be(cursor["version"])
        after = cursor["row"] if cursor else self.header_row
        reader = TabReader(self.package, self.tab.part)
        rows = (row for row in self._rows(reader) if row.number > after)
        size = max(1, min(PAGE_ROWS, PAGE_CELLS // len(self.headers)))
        try:
            while (page := self._page(rows, size, numbers)).rows:
                cursor = {"row": page.rows[-1], "version": self.identity} if self.lasting else None
                yield replace(page, cursor=cursor, done=reader.done)
        except SyncError:
            # else it was not damaged, but saved meanwhile
            self._must_be(file_version.identity(self.file))
            raise
        self._must_be(file_version.identity(self.file))

    def link(self, row: int, column: int) -> str | None:  # noqa: ARG002 - a file has no addresses
        """Return None: a cell of a file cannot be linked to."""
        return None

    def _must_be(self, identity: Sequence[int]) -> None:
        if identity != self.identity:
            raise SyncError("source_changed_while_reading", name=self.name)

    def _rows(self, reader: TabReader) -> Iterator[RawRow]:
        """Read the rows below the header, and look beside them."""
        beside = Beside(self.header_row, len(self.headers))
        for row in reader.rows():
            if row.number > self.header_row:
                beside.look_at(row)
                yield row
        beside.look_at_merges(reader.merges)
        self.seen.append(beside)

    def _page(self, rows: Iterable[RawRow], size: int, numbers: frozenset[int]) -> Page:
        columns = _Columns(self.package, size, len(self.headers), numbers)
        for row in rows:
            columns.rows.append(row.number)
            for cell in row.cells:
                if self._is_uncalculated(cell):
                    columns.uncalculated.add((row.number, cell.column))
                    columns.put(cell.column, Value(SHOWN))
                else:
                    columns.put(cell.column, self.cells.read(cell))
            if len(columns.rows) == size or columns.characters > PAGE_CHARACTERS:
                break
        return columns.page()

    def _is_uncalculated(self, cell: RawCell) -> bool:
        """Return whether a cell holds a formula of which nobody knows the value."""
        if not cell.has_formula:
            return False
        is_empty_text = cell.kind == "str" and cell.value == ""
        return self.uncalculated or not (cell.value or is_empty_text)


class _Columns:
    """The columns of a page while it is filled, row by row."""

    def __init__(self, package: Package, size: int, width: int, numbers: frozenset[int]) -> None:
        self.rows: list[int] = []
        self.uncalculated: set[tuple[int, int]] = set()
        self.characters = 0
        self._package, self._size, self._width = package, size, width
        self._texts: list[list[str | None]] = [[None] * size for _ in range(width)]
        self._numbers: dict[int, list[float | None]] = {i: [None] * size for i in numbers}
        self._formats: dict[int, list[str | None]] = {i: [None] * size for i in numbers}
        self._booleans: dict[int, list[bool | None]] = {}

    def put(self, column: int, value: Value) -> None:
        """Put what a cell holds into the last row, unless it stands outside the table."""
        if column >= self._width:
            return
        text, number, shows, boolean = value
        place = len(self.rows) - 1
        self._texts[column][place] = text
        self.characters += len(text or "")
        if self.characters > PAGE_CHARACTERS + LARGEST_ROW:
            raise self._package.row_too_large(self.rows[-1])
        if column in self._numbers:
            self._numbers[column][place] = number
            self._formats[column][place] = shows
        if boolean is not None:
            if column not in self._booleans:
                self._booleans[column] = [None] * self._size
            self._booleans[column][place] = boolean

    def page(self) -> Page:
        """Return the page, cut to the rows that were put in."""
        height = len(self.rows)
        return Page(
            rows=self.rows,
            texts=[column[:height] for column in self._texts],
            numbers={i: column[:height] for i, column in self._numbers.items()},
            formats={i: column[:height] for i, column in self._formats.items()},
            booleans={i: column[:height] for i, column in self._booleans.items()},
            uncalculated=self.uncalculated,
        )


def open_workbook(
    file: BinaryIO,
    entity: Entity,
    *,
    name: str,
    title: str,
    tab: str | None = None,
    locale: str | None = None,
    header_row: int | None = None,
    lasting: bool = False,
) -> WorkbookSheet:
    """Find the entity's tab in a file, which the sheet closes, and read its header row.

    `name` begins sentences about the file, `title` is its own. Without a number of the header row,
    it is found by its labels. Raises SyncError.
    """
    try:
        package = open_package(file, name)
        contents = read_contents(package)
        tabs = _tabs(contents, title)
        place = tabs.choose(tab, entity)
        chosen = contents.tabs[place]
        cells = _cell_reader(package, contents, locale)
        headers, at = _header(cells, chosen, entity, header_row)
        tabs.confirm(place, headers, tab, entity)
        return WorkbookSheet(
            file=file,
            package=package,
            tab=chosen,
            cells=cells,
            locale=locale,
            headers=headers,
            header_row=at,
            found=[header_rows.note(entity, at)] if at > 1 and header_row is None else [],
            uncalculated=contents.uncalculated,
            lasting=lasting,
            identity=file_version.identity(file),
        )
    except BaseException:
        file.close()
        raise


def _name(tab: Tab, package: Package) -> str:
    return f"The tab '{tab.title}' of {package.name[0].lower()}{package.name[1:]}"


def _tabs(contents: Contents, title: str) -> Tabs:
    titles = [tab.title for tab in contents.tabs]
    return Tabs(title, titles, [tab.hidden for tab in contents.tabs])


def _cell_reader(package: Package, contents: Contents, locale: str | None) -> CellReader:
    return CellReader(
        package=package,
        texts=read_texts(package, contents.parts.get("sharedStrings")),
        formats=read_formats(package, contents.parts.get("styles")),
        convention=Convention(locale=locale),
        days_from_1904=contents.days_from_1904,
    )


def _header(
    cells: CellReader, tab: Tab, entity: Entity, wanted: int | None
) -> tuple[Sequence[str], int]:
    """Return the cells of the header row, to the last one that holds anything, and its number."""
    rows = TabReader(cells.package, tab.part).rows()
    if wanted is None:
        first = list(islice(rows, header_rows.LOOKED_AT))
    else:
        first = list(deque(takewhile(lambda row: row.number <= wanted, rows), maxlen=1))
    texts = [_texts(row, cells) for row in first]
    found = header_rows.find(texts, entity)
    is_there = any(texts[found : found + 1])
    if wanted and not (is_there and first[found].number == wanted):
        raise SyncError("no_header_row", name=_name(tab, cells.package), row=wanted)
    if not is_there:
        raise SyncError("empty_file", name=_name(tab, cells.package))
    return texts[found], first[found].number


def _texts(row: RawRow, cells: CellReader) -> list[str]:
    texts, characters = {}, 0
    for cell in row.cells:
        text = (cells.read(cell).text or "").strip()
        texts[cell.column] = text
        characters += len(text)
        if characters > LARGEST_ROW:
            raise cells.package.row_too_large(row.number)
    width = max((column + 1 for column, text in texts.items() if text), default=0)
    return [texts.get(column, "") for column in range(width)]
