"""Rows of CSV bytes: from a file to pages of columns, exact to the row, in constant memory.

Arrow reads whole rows a block at a time; what it cannot read, a slower exact reader explains.
"""

import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, RowFault
from sync_core.foundation.errors import SyncError
from sync_core.sources.files import file_version, row_shape
from sync_core.sources.files.charset import in_utf8
from sync_core.sources.files.csv_text import CsvText, Rows, read
from sync_core.sources.files.dialect import read_header
from sync_core.sources.files.file_types import refuse_another_kind, refuse_what_is_no_csv

BLOCK = 4 * 2**20  # bytes; about 40,000 rows of ten columns a page, for each costs Polars a start
END_OF_TEXT = b"\x1a"  # Ctrl-Z
SAMPLE = 509  # of so many bytes one is looked at first; to count all line ends would take longer


@dataclass(frozen=True, eq=False, kw_only=True)
class CsvSheet:
    """A CSV file whose header row has been read; see `Sheet`."""

    name: str
    title: str
    locale: str | None
    headers: Sequence[str]
    total: int  # bytes
    header_row: int
    notes: Sequence[str]
    unit: Literal["rows", "bytes"] = "bytes"
    file: BinaryIO
    text: CsvText  # of the file, or of a copy in UTF-8
    body: int  # where the row after the header begins
    identity: Sequence[int]  # of the file
    lasting: bool  # another process finds the same bytes there

    def __post_init__(self) -> None:
        weakref.finalize(self, self.file.close)
        weakref.finalize(self, self.text.file.close)

    @property
    def version(self) -> Any:  # noqa: ANN401 - JSON
        """What is another one where the file was changed; see `Sheet`."""
        return self.identity if self.lasting else file_version.content(self.file)

    def pages(
        self,
        numbers: frozenset[int],  # noqa: ARG002 - CSV knows texts only
        cursor: Any = None,  # noqa: ANN401 - JSON
    ) -> Iterator[Page]:
        """Read the rows in order; see `Sheet`."""
        at, row = self.body, self.header_row + 1
        if cursor is not None:
            self._must_be(cursor["version"])
            at, row = cursor["byte"], cursor["row"]
        while at < self.total:
            try:
                page = self._page(at, row, self.text.block)
            except SyncError:  # half of a change looks like any mistake
                self._must_be(file_version.identity(self.file))
                raise
            at, row = page.done or self.total, row + len(page.rows)
            yield page
        self._must_be(file_version.identity(self.file))

    def link(self, row: int, column: int) -> str | None:  # noqa: ARG002 - a CSV has no addresses
        """Return None: a cell of a CSV cannot be linked to."""
        return None

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.headers)

    def _must_be(self, identity: Sequence[int]) -> None:
        if identity != self.identity:
            raise SyncError("source_changed_while_reading", name=self.name)

    def _page(self, at: int, row: int, length: int) -> Page:
        """Return the rows of about so many bytes, the first one of which is `row`."""
        rows = self.text.rows(at, row, length)
        if self._would_grow(rows.data):
            return self._page(at, row, length // 4)
        broken: dict[int, RowFault] = {}
        tidy: list[int] = []
        try:
            texts = self._columns(rows)
            tidy = [index for index, column in enumerate(texts) if _is_tidy(column)]
            if b'"' in rows.data:
                loose = [column for i, column in enumerate(texts) if i not in tidy]
                broken |= self._swallowed(loose, texts, row)
        except pa.ArrowInvalid:  # ragged rows, torn quotes, or bytes that are not UTF-8
            texts = self._ragged_columns(rows, row, broken)
        done = min(at + len(rows.data), self.total)  # the last row was given a line end
        after = row + len(texts[0])
        cursor = {"byte": done, "row": after, "version": self.identity} if self.lasting else None
        return Page(range(row, after), texts, tidy=tidy, broken=broken, cursor=cursor, done=done)

    def _would_grow(self, data: bytes) -> bool:
        """Return whether rows have far more cells than bytes, as blank lines do."""
        most = (
            max(BLOCK, len(data)) // self.width
        )  # lines: a cell has a byte, if only its separator
        return _lines(data[::SAMPLE]) * SAMPLE > most and _lines(data) > max(most, 1)

    def _columns(self, rows: Rows) -> Sequence[pa.StringArray]:
        """Split even rows into columns. Raises ArrowInvalid where they are not."""
        if rows.torn:
            raise pa.ArrowInvalid("torn quotes")
        names = [str(index) for index in range(len(self.headers))]
        table = arrow_csv.read_csv(
            pa.BufferReader(rows.data),
            arrow_csv.ReadOptions(
                use_threads=False, block_size=len(rows.data) + 1, column_names=names
            ),
            arrow_csv.ParseOptions(
                delimiter=self.text.delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
        [batch] = table.to_batches()
        return batch.columns  # type: ignore[no-any-return] # Arrow carries no types

    def _swallowed(
        self, loose: Sequence[pa.StringArray], texts: Sequence[pa.StringArray], row: int
    ) -> Iterator[tuple[int, RowFault]]:
        """Return the rows of which a cell, in a `loose` column, holds other rows."""
        for place in row_shape.may_have_swallowed(loose, self.width, self.text.delimiter):
            cells = [column[place].as_py() for column in texts]
            if fault := self._holds_rows(cells, row + place):
                yield row + place, fault

    def _holds_rows(self, cells: Sequence[str], row: int) -> RowFault | None:
        return row_shape.swallowed(cells, row, self.width, self.text.delimiter)

    def _ragged_columns(
        self, rows: Rows, row: int, broken: dict[int, RowFault]
    ) -> Sequence[list[str]]:
        width = self.width
        read = list(self._ragged_rows(rows, row))
        broken |= {number: fault for number, (_, fault) in enumerate(read, row) if fault}
        if rows.unended and (fault := row_shape.cut_off(read[-1][0], width)):
            broken.setdefault(row + len(read) - 1, fault)
        if not broken:
            parts = row_shape.parted([cells for cells, _ in read], width)
            broken |= {row + place: fault for place, fault in parts.items()}
        whole = [[""] * width]  # so that no column is missing where every row is short
        whole += [cells[:width] for cells, _ in read]
        return [list(column)[1:] for column in zip_longest(*whole, fillvalue="")]

    def _misshapen(self, cells: Sequence[str]) -> RowFault | None:
        if not cells:
            return None
        surplus = row_shape.surplus(cells, self.width)
        return surplus or row_shape.unparted(cells, self.width, self.text.delimiter)

    def _ragged_rows(self, rows: Rows, row: int) -> Iterator[tuple[list[str], RowFault | None]]:
        """Return the cells of each row, and why it cannot be trusted."""
        for piece, torn in rows.pieces():
            if torn:
                cells, sure = self.text.torn_cells(piece, torn, row)
                yield cells, RowFault("torn_quote", {}, sure)
                row += 1
                continue
            text = self.text.decode(piece, row)
            is_quoted = '"' in text
            for cells in self.text.cells(text):
                fault = self._holds_rows(cells, row) if is_quoted else None
                yield cells, fault or self._misshapen(cells)
                row += 1


def _lines(data: bytes) -> int:
    return max(data.count(b"\n"), data.count(b"\r"))


def _is_tidy(column: pa.StringArray) -> bool:
    """Return whether all cells are printable ASCII, no blank, apostrophe or = at either end."""
    _, offsets, characters = column.buffers()
    ends = pa.Int32Array.from_buffers(pa.int32(), len(column) + 1, [None, offsets])
    codes = pa.UInt8Array.from_buffers(pa.uint8(), ends[-1].as_py(), [None, characters])
    bounds = pc.min_max(codes).as_py()
    if len(codes) and not ord(" ") <= bounds["min"] <= bounds["max"] <= ord("~"):
        return False
    return bool(pc.ascii_trim(column, " '=").equals(column))


def _size(file: BinaryIO, name: str) -> int:
    """Return the bytes of a file, without the mark by which DOS ends a text."""
    size = os.fstat(file.fileno()).st_size
    return size - 1 if size and read(file, name, 1, size - 1) == END_OF_TEXT else size


def open_csv(
    file: BinaryIO,
    entity: Entity,
    *,
    name: str,
    locale: str | None = None,
    charset: str | None = None,
    header_row: int | None = None,
    lasting: bool = False,
    block: int = BLOCK,
) -> CsvSheet:
    """Read the header row of a file, which the sheet closes; `name` begins sentences about it.

    Without a number of the header row, it is found by the labels of the entity. A server may have
    declared the `charset`. Raises SyncError where this is no CSV.
    """
    text = file
    try:
        refuse_another_kind(read(file, name, BLOCK, 0), name)
        text, begin = in_utf8(file, name, charset)
        refuse_what_is_no_csv(read(text, name, BLOCK, begin), name)
        size = _size(text, name)
        found = read_header(
            CsvText(file=text, name=name, begin=begin, size=size, block=block), entity, header_row
        )
        return CsvSheet(
            file=file,
            name=name,
            title=entity.title,
            locale=locale,
            headers=found.labels,
            header_row=found.row,
            notes=found.notes,
            total=size,
            text=found.text,
            body=min(found.body, size),
            identity=file_version.identity(file),
            lasting=lasting,
        )
    except BaseException:
        text.close()
        file.close()
        raise
