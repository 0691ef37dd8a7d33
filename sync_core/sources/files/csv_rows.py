"""Rows of CSV bytes: from a file to pages of columns, exact to the row, in constant memory.

Arrow reads whole rows a block at a time; what it cannot read, a slower exact reader explains.
"""

import csv
import io
import os
import re
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any, BinaryIO, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from sync_core.catalogue.source import Page
from sync_core.foundation.errors import SyncError
from sync_core.sources.files import file_version
from sync_core.sources.files.file_types import refuse_what_is_no_csv

BLOCK = 4 * 2**20  # bytes; about 40,000 rows of ten columns a page, for each costs Polars a start
LARGEST_ROW = 16 * 2**20  # bytes; more is a mistake, or a quote that is never closed

_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _Grammar(NamedTuple):
    """The quoting rules of CSV with one delimiter: where cells, a row, and whole rows end.

    A quote opens a cell only at the cell's start and must end it at the cell's end; any other
    quote is a character. So these stop exactly before a quote that is not closed properly.
    """

    cells: re.Pattern[bytes]
    row: re.Pattern[bytes]
    rows: re.Pattern[bytes]


@cache
def _grammar(delimiter: str) -> _Grammar:
    ends = re.escape(delimiter).encode() + rb"\r\n"
    quoted = rb'(?<![^%b])"[^"]*+(?:""[^"]*+)*+"(?![^%b])' % (ends, ends)
    stray = rb'(?<=[^%b])"' % ends
    cells = rb'[^"\r\n]*+(?:(?:%b|%b)[^"\r\n]*+)*+' % (quoted, stray)
    row = rb"%b(?:\r?\n|\r(?=[^\n]))" % cells
    return _Grammar(re.compile(cells), re.compile(row), re.compile(rb"(?:%b)*+" % row))


@dataclass(frozen=True, kw_only=True)
class _Text:
    """The bytes of a CSV file, handed out in whole rows."""

    file: BinaryIO
    name: str
    begin: int  # after the mark of UTF-8, if there is one
    size: int
    delimiter: str
    block: int

    def rows(self, at: int, row: int) -> bytes:
        """Return whole rows from byte `at` on, where row `row` begins; each has its line end.

        Raises SyncError where a row has no end.
        """
        length = self.block
        while True:
            block = _read(self.file, self.name, length, at)
            if not block:
                raise SyncError("source_changed_while_reading", name=self.name)
            last = at + len(block) >= self.size
            if last and not block.endswith(b"\n"):
                block += b"\n"
            if end := self._end(block):
                return block[:end]
            if last or length >= LARGEST_ROW:
                raise self._endless(block, row)
            length *= 2  # a row larger than a block

    def _end(self, block: bytes) -> int:
        """Return where the last whole row of a block ends; 0 where it holds none."""
        if b'"' not in block and (end := block.rfind(b"\n") + 1):
            return end  # without quotes every line break ends a row
        return _grammar(self.delimiter).rows.match(block).end()  # type: ignore[union-attr] # it matches nothing, too

    def _endless(self, block: bytes, row: int) -> SyncError:
        cells = _grammar(self.delimiter).cells.match(block)
        if cells and block.startswith(b'"', cells.end()):
            return SyncError("unclosed_quote", name=self.name, row=row)
        return SyncError("cell_too_large", name=self.name, row=row, limit=f"{LARGEST_ROW >> 20} MB")

    def decode(self, rows: bytes, row: int) -> str:
        """Decode whole rows of which `row` is the first. Raises SyncError."""
        try:
            return rows.decode()
        except UnicodeDecodeError as error:
            row += len(_grammar(self.delimiter).row.findall(rows[: error.start]))
            why = f"row {row} holds the byte 0x{rows[error.start]:02X}"
            raise SyncError("not_utf8", name=self.name, why=why) from None

    def cells(self, text: str) -> Iterator[list[str]]:
        """Split decoded rows into their cells, as many as each row has."""
        return csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)


@dataclass(frozen=True, eq=False, kw_only=True)
class CsvSheet:
    """A CSV file whose header row has been read; see `Sheet`."""

    name: str
    title: str
    locale: str | None
    headers: Sequence[str]
    total: int  # bytes
    header_row: int = 1
    notes: Sequence[str] = ()
    unit: Literal["rows", "bytes"] = "bytes"
    text: _Text
    body: int  # where the row after the header begins
    identity: Sequence[int]  # of the file
    lasting: bool  # another process finds the same bytes there

    def __post_init__(self) -> None:
        weakref.finalize(self, self.text.file.close)

    @property
    def version(self) -> Any:  # noqa: ANN401 - JSON
        """What is another one where the file was changed; see `Sheet`."""
        return self.identity if self.lasting else file_version.content(self.text.file)

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
            rows = self.text.rows(at, row)
            at = min(at + len(rows), self.total)  # the last row was given a line end
            page = self._page(rows, row, at)
            row += len(page.rows)
            yield page
        self._must_be(file_version.identity(self.text.file))

    def link(self, row: int, column: int) -> str | None:  # noqa: ARG002 - a CSV has no addresses
        """Return None: a cell of a CSV cannot be linked to."""
        return None

    def _must_be(self, identity: Sequence[int]) -> None:
        if identity != self.identity:
            raise SyncError("source_changed_while_reading", name=self.name)

    def _page(self, rows: bytes, row: int, done: int) -> Page:
        broken: dict[int, int] = {}
        tidy: list[int] = []
        try:
            texts = self._columns(rows)
            tidy = [index for index, column in enumerate(texts) if _is_tidy(column)]
        except pa.ArrowInvalid:  # ragged rows, or bytes that are not UTF-8
            texts = self._ragged_columns(rows, row, broken)
        after = row + len(texts[0])
        cursor = {"byte": done, "row": after, "version": self.identity} if self.lasting else None
        return Page(range(row, after), texts, tidy=tidy, broken=broken, cursor=cursor, done=done)

    def _columns(self, rows: bytes) -> Sequence[pa.StringArray]:
        names = [str(index) for index in range(len(self.headers))]
        table = arrow_csv.read_csv(
            pa.BufferReader(rows),
            arrow_csv.ReadOptions(use_threads=False, block_size=len(rows) + 1, column_names=names),
            arrow_csv.ParseOptions(
                delimiter=self.text.delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
        [batch] = table.to_batches()
        return batch.columns  # type: ignore[no-any-return] # Arrow carries no types

    def _ragged_columns(self, rows: bytes, row: int, broken: dict[int, int]) -> Sequence[list[str]]:
        width = len(self.headers)
        whole = [[""] * width]  # so that no column is missing where every row is short
        for number, cells in enumerate(self.text.cells(self.text.decode(rows, row)), row):
            if len(cells) > width and any(map(str.strip, cells[width:])):
                broken[number] = len(cells)
            whole.append(cells[:width])
        return [list(column)[1:] for column in zip_longest(*whole, fillvalue="")]


def _is_tidy(column: pa.StringArray) -> bool:
    """Return whether all cells are printable ASCII, no blank, apostrophe or = at either end."""
    _, offsets, characters = column.buffers()
    ends = pa.Int32Array.from_buffers(pa.int32(), len(column) + 1, [None, offsets])
    codes = pa.UInt8Array.from_buffers(pa.uint8(), ends[-1].as_py(), [None, characters])
    bounds = pc.min_max(codes).as_py()
    if len(codes) and not ord(" ") <= bounds["min"] <= bounds["max"] <= ord("~"):
        return False
    return bool(pc.ascii_trim(column, " '=").equals(column))


def open_csv(
    file: BinaryIO,
    *,
    name: str,
    title: str,
    locale: str | None = None,
    lasting: bool = False,
    block: int = BLOCK,
) -> CsvSheet:
    """Read the header row of a file, which the sheet closes; `name` begins sentences about it.

    Raises SyncError where this is no CSV.
    """
    try:
        text = _text(file, name, block)
        rows = text.rows(text.begin, 1)
        header = _grammar(text.delimiter).row.match(rows)
        assert header  # noqa: S101 - there is a whole row
        return CsvSheet(
            name=name,
            title=title,
            locale=locale,
            headers=next(text.cells(text.decode(header[0], 1))) or [""],
            total=text.size,
            text=text,
            body=min(text.begin + header.end(), text.size),
            identity=file_version.identity(file),
            lasting=lasting,
        )
    except BaseException:
        file.close()
        raise


def _text(file: BinaryIO, name: str, block: int) -> _Text:
    start = _read(file, name, BLOCK, 0)
    if start.startswith(_UTF16_MARKS) or b"\0" in start[:2]:
        raise SyncError("not_utf8", name=name, why="it is UTF-16")
    refuse_what_is_no_csv(start.removeprefix(_UTF8_MARK), name)
    begin = len(_UTF8_MARK) if start.startswith(_UTF8_MARK) else 0
    size, delimiter = os.fstat(file.fileno()).st_size, _delimiter(start[begin:])
    return _Text(file=file, name=name, begin=begin, size=size, delimiter=delimiter, block=block)


def _delimiter(start: bytes) -> str:
    header = re.split(rb"[\r\n]", re.sub(rb'"[^"]*"', b"", start), maxsplit=1)[0]
    present = [mark for mark in (",", ";", "\t") if mark.encode() in header]
    return present[0] if present else ","


def _read(file: BinaryIO, name: str, length: int, at: int) -> bytes:
    try:
        return os.pread(file.fileno(), length, at)
    except OSError as error:
        raise SyncError("unreadable_file", name=name, why=error.strerror) from error


csv.field_size_limit(
    LARGEST_ROW
)  # of this process; the default, 131,072, is less than people write
