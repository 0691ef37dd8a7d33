"""The bytes of a CSV file in whole rows, and the lines of them whose quotes cannot be right."""

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, NamedTuple

from sync_core.foundation.errors import SyncError
from sync_core.sources.files import row_shape

MOST_CELLS = 16_384  # in a line, as many as Excel has columns; each takes far more than its bytes
LARGEST_ROW = 16 * 2**20  # bytes; more is a mistake, or a quote that is never closed


class Grammar(NamedTuple):
    """The quoting rules of CSV with one delimiter: where cells, a row, and whole rows end.

    A quote opens a cell only at the cell's start and must end it at the cell's end, where blanks
    may follow; any other quote is a character. So these stop exactly before a quote that is not
    closed properly. `torn` is such a quote, where what follows leaves no doubt of it.
    """

    cells: re.Pattern[bytes]
    row: re.Pattern[bytes]
    rows: re.Pattern[bytes]
    torn: re.Pattern[bytes]


@cache
def grammar(delimiter: str) -> Grammar:
    """Return the rules for a delimiter, which is one character of ASCII."""
    ends = re.escape(delimiter).encode() + rb"\r\n"
    blanks = rb" *+" if delimiter == "\t" else rb"[ \t]*+"
    text = rb'"[^"]*+(?:""[^"]*+)*+"' + blanks
    quoted = rb"(?<![^%b])%b(?![^%b])" % (ends, text, ends)
    stray = rb'(?<=[^%b])"' % ends
    cells = rb'[^"\r\n]*+(?:(?:%b|%b)[^"\r\n]*+)*+' % (quoted, stray)
    row = rb"%b(?:\r?\n|\r(?=[^\n]))" % cells
    patterns = (cells, row, rb"(?:%b)*+" % row, rb"%b[^%b]" % (text, ends))
    return Grammar(*map(re.compile, patterns))


_QUOTED = re.compile(rb'"[^"]*"')
_LINE = re.compile(rb"[^\r\n]*+(?:\r?\n|\r(?=[^\n]))")


class TornLine(NamedTuple):
    """A line with a quote that is not closed properly; offsets of bytes."""

    start: int
    quote: int
    end: int


class FirstRow(NamedTuple):
    """A row at the beginning of a file, read as well as can be, to look for the header."""

    data: bytes
    cells: Sequence[str]
    end: int  # of the row in the block
    torn: bool


@dataclass(frozen=True)
class Rows:
    """Whole rows, each with its line end.

    Where the file ends in the last row without a line end, that row is `unended`: it may be cut
    off.
    """

    data: bytes
    torn: Sequence[TornLine] = ()
    unended: bool = False

    def pieces(self) -> Iterator[tuple[bytes, TornLine | None]]:
        """Return the rows in order, in as few pieces as can be; a torn line is one of its own."""
        done = 0
        for line in self.torn:
            if line.start > done:
                yield self.data[done : line.start], None
            yield self.data[line.start : line.end], line
            done = line.end
        if done < len(self.data):
            yield self.data[done:], None


@dataclass(frozen=True, kw_only=True)
class CsvText:
    """The bytes of a CSV file whose delimiter is known."""

    file: BinaryIO
    name: str
    begin: int  # after the mark of UTF-8, if there is one
    size: int
    block: int
    delimiter: str = ","
    width: int = 0  # cells of the header, once it was read

    def rows(self, at: int, row: int, length: int) -> Rows:
        """Return whole rows from byte `at` on, where row `row` begins, of so many bytes or fewer.

        Where the first one is longer, it is returned whole. Raises SyncError where it has no end.
        """
        while True:
            block = self.read(length, at)
            if not block:
                raise SyncError("source_changed_while_reading", name=self.name)
            last = at + len(block) >= self.size
            unended = last and not block.endswith((b"\n", b"\r"))
            if last and not block.endswith(b"\n"):
                block += b"\n"
            end, torn = self._end(block, final=last or length >= LARGEST_ROW)
            if end:
                return Rows(block[:end], torn, unended and end == len(block))
            if last or length >= LARGEST_ROW:
                raise self.endless(block, row)
            length *= 2  # a row larger than a block

    def first_rows(self, block: bytes, most: int, *, whole: bool) -> list[FirstRow]:
        """Return the rows with which a block begins, that of the `whole` file or of its start."""
        rules, rows, at = grammar(self.delimiter), list[FirstRow](), 0
        if whole and not block.endswith(b"\n"):
            block += b"\n"
        while at < len(block) and len(rows) < most:
            row = rules.row.match(block, at)
            found = row or _LINE.match(block, at)
            if not found:
                break
            at = found.end()
            cells = next(self.cells(found[0].decode(errors="replace")), [])
            rows.append(FirstRow(found[0], cells, at, torn=row is None))
        return rows

    def read(self, length: int, at: int) -> bytes:
        """Return the bytes there. Raises SyncError."""
        return read(self.file, self.name, max(0, min(length, self.size - at)), at)

    def _end(self, block: bytes, *, final: bool) -> tuple[int, Sequence[TornLine]]:
        """Return where the last whole row of a block ends, 0 where it holds none; and torn lines.

        No more bytes will come after a `final` block: a quote that it leaves open stays open.
        """
        if b'"' not in block and (end := block.rfind(b"\n") + 1):
            return end, ()  # without quotes every line break ends a row
        rows, end, torn = grammar(self.delimiter).rows, 0, []
        while (end := _after(rows, block, end)) < len(block):
            if not (line := self._torn_line(block, end, final=final)):
                break
            torn.append(line)
            end = line.end
        return end, torn

    def _torn_line(self, block: bytes, at: int, *, final: bool) -> TornLine | None:
        """Return the line there if it has a torn quote, and it and the next one look like rows.

        Else the quote may belong to a cell of several lines, and nobody knows where rows begin.
        """
        rules = grammar(self.delimiter)
        quote = _after(rules.cells, block, at)
        if not block.startswith(b'"', quote) or not (final or rules.torn.match(block, quote)):
            return None
        line = _LINE.match(block, at)
        if not line or not self._is_like_a_row(line[0]):
            return None
        following = _LINE.match(block, line.end())
        if following and following[0].strip() and not self._is_like_a_row(following[0]):
            return None
        if not following and not (final and line.end() == len(block)):
            return None
        return TornLine(at, quote, line.end())

    def _is_like_a_row(self, line: bytes) -> bool:
        mark = self.delimiter.encode()
        counts = {line.count(mark), _QUOTED.sub(b"", line).count(mark)}
        return any(row_shape.is_like_a_row(count, self.width) for count in counts)

    def endless(self, block: bytes, row: int) -> SyncError:
        """Return why a row, with which a block begins, has no end."""
        if block.startswith(b'"', _after(grammar(self.delimiter).cells, block, 0)):
            return SyncError("unclosed_quote", name=self.name, row=row)
        return SyncError("cell_too_large", name=self.name, row=row, limit=f"{LARGEST_ROW >> 20} MB")

    def decode(self, rows: bytes, row: int) -> str:
        """Decode whole rows of which `row` is the first. Raises SyncError."""
        try:
            return rows.decode()
        except UnicodeDecodeError as error:
            row += len(grammar(self.delimiter).row.findall(rows[: error.start]))
            why = f"row {row} holds the byte 0x{rows[error.start]:02X}"
            raise SyncError("not_utf8", name=self.name, why=why) from None

    def torn_cells(self, line: bytes, torn: TornLine, row: int) -> tuple[list[str], int]:
        """Split a torn line at its delimiters, and count the cells before the torn quote."""
        quote = torn.quote - torn.start
        before = next(self.cells(self.decode(line[:quote], row)), [""])[:-1]
        rest = self.decode(line[quote:], row).rstrip("\r\n")
        self._refuse_too_many_cells(rest)
        return [*before, *rest.split(self.delimiter)], len(before)

    def cells(self, text: str) -> Iterator[list[str]]:
        """Split decoded rows into their cells, as many as each row has. Raises SyncError."""
        self._refuse_too_many_cells(text)
        return csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter)

    def _refuse_too_many_cells(self, text: str) -> None:
        """Refuse lines of more cells than any table has, before there is one object for each."""
        mark = self.delimiter
        if text.count(mark) < MOST_CELLS:
            return
        if max(line.count(mark) for line in text.splitlines()) >= MOST_CELLS:
            raise SyncError("too_many_cells", name=self.name, most=f"{MOST_CELLS:,}")


def _after(pattern: re.Pattern[bytes], block: bytes, at: int) -> int:
    """Return where what a pattern matches ends, which may be nothing."""
    found = pattern.match(block, at)
    return found.end() if found else at


def read(file: BinaryIO, name: str, length: int, at: int) -> bytes:
    """Return the bytes of a file. Raises SyncError."""
    try:
        return os.pread(file.fileno(), length, at)
    except OSError as error:
        raise SyncError("unreadable_file", name=name, why=error.strerror) from error


csv.field_size_limit(
    LARGEST_ROW
)  # of this process; the default, 131,072, is less than people write
