"""How a CSV file is written, by its first rows: its separator, and where its header stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync_core.catalogue import header_row as header_rows
from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import SyncError
from sync_core.sources.files.csv_text import LARGEST_ROW, CsvText, FirstRow
from sync_core.sources.files.row_shape import SEPARATORS

START = 64 * 2**10  # bytes, among which the header is nearly always
MOST_COLUMNS = 16_384  # as many as Excel has

# Excel's own first line, which names the separator; a program may have quoted or padded it
_SEPARATOR = re.compile(rb'"?sep=([!#-/:-@\[-`{-~\t])"?[,;|\t ]*(?:\r?\n|\r)', re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """The header of a CSV file, and how the file is written."""

    text: CsvText
    labels: Sequence[str]
    row: int
    body: int  # the byte where the row after it begins
    notes: Sequence[str]


def read_header(text: CsvText, entity: Entity, wanted: int | None = None) -> Header:
    """Find the header in row `wanted`, or else by its labels, and the separator with it.

    It is the separator that parts the header into the most labels. Raises SyncError where there is
    no header.
    """
    block = text.read(START, text.begin)
    found = _best(text, block, entity, wanted)
    if len(block) == START and not found.is_sure:
        found = _best(text, text.read(LARGEST_ROW, text.begin), entity, wanted)
    return found.header(entity, wanted)


@dataclass(frozen=True)
class _Reading:
    """The first rows of a file, as one separator parts them."""

    text: CsvText
    block: bytes
    rows: Sequence[FirstRow]
    place: int  # of the header among the rows
    known: int  # labels of it
    first: int  # the row in which a header is expected
    is_sure: bool  # whether more bytes would change nothing

    def header(self, entity: Entity, wanted: int | None) -> Header:
        if wanted and self.place >= len(self.rows):
            raise _nothing(self.text.name, wanted)
        if not self.rows:
            raise self.text.endless(self.block, 1)
        row, number = self.rows[self.place], self.place + 1
        if row.torn:
            raise SyncError("unclosed_quote", name=self.text.name, row=number)
        labels = next(self.text.cells(self.text.decode(row.data, number)), [])
        if not any(map(str.strip, labels)):
            raise _nothing(self.text.name, wanted)
        if len(labels) > MOST_COLUMNS:
            limit = f"{MOST_COLUMNS:,}"
            raise SyncError("too_many_columns", name=self.text.name, row=number, limit=limit)
        notes = [header_rows.note(entity, number)] if number > self.first and not wanted else []
        text = replace(self.text, width=len(labels))
        return Header(text, labels, number, self.text.begin + row.end, notes)


def _nothing(name: str, wanted: int | None) -> SyncError:
    if wanted:
        return SyncError("no_header_row", name=name, row=wanted)
    return SyncError("empty_file", name=name)


def _best(text: CsvText, block: bytes, entity: Entity, wanted: int | None) -> _Reading:
    named = _SEPARATOR.match(block)
    separators = [named[1].decode()] if named else []
    separators += [mark for mark in _present(block) if mark not in separators]
    first = 2 if named else 1
    readings = [
        _read(replace(text, delimiter=mark), block, entity, wanted, first) for mark in separators
    ]
    return max(readings, key=lambda reading: reading.known)  # of equal ones the first


def _present(block: bytes) -> list[str]:
    """Return the separators, in front those of them that stand in the first line with anything."""
    line = re.split(rb"[\r\n]", re.sub(rb'"[^"]*"', b"", block).lstrip(b"\r\n"), maxsplit=1)[0]
    return sorted(SEPARATORS, key=lambda mark: mark.encode() not in line)


def _read(text: CsvText, block: bytes, entity: Entity, wanted: int | None, first: int) -> _Reading:
    whole = text.begin + len(block) >= text.size
    rows = text.first_rows(block, max(header_rows.LOOKED_AT, wanted or 0), whole=whole)
    cells = [row.cells for row in rows]
    place = first - 1 + header_rows.find(cells[first - 1 :], entity) if not wanted else wanted - 1
    known = header_rows.known(cells[place], entity) if place < len(cells) else 0
    enough = whole or len(rows) >= header_rows.LOOKED_AT
    return _Reading(text, block, rows, place, known, first, enough)
