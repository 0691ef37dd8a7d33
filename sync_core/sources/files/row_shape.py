"""The shape of a row as evidence: too many cells, a file that ends in it, rows in one cell."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sync_core.catalogue.source import RowFault

SEPARATORS = (",", ";", "\t", "|")
NARROW = 4  # columns; of fewer, prose in a cell may look like a row
FIFTH = 5

_FIGURES, _WORDS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def is_like_a_row(separators: int, width: int) -> bool:
    """Return whether a line has about as many separators as the header of `width` cells."""
    return width >= NARROW and abs(separators - (width - 1)) <= _leeway(width)


def _leeway(width: int) -> int:
    return (width - 1) // FIFTH or int(width > NARROW)


def surplus(cells: Sequence[str], width: int) -> RowFault | None:
    """Return what is wrong with a row that has more cells than the header, be they blank.

    Which cell was split nobody knows: only the first one is where it belongs.
    """
    if len(cells) <= width:
        return None
    return RowFault("broken_row", {"cells": len(cells), "headers": width}, sure=1)


def cut_off(cells: Sequence[str], width: int) -> RowFault | None:
    """Return what is wrong with a last row without a line end that is short: its end is lost."""
    if len(cells) >= width or not any(map(str.strip, cells)):
        return None
    facts = {"cells": _counted(cells), "headers": width}
    return RowFault("cut_off_row", facts, sure=len(cells) - 1)


def _counted(cells: Sequence[str]) -> str:
    return "1 cell" if len(cells) == 1 else f"{len(cells):,} cells"


def unparted(cells: Sequence[str], width: int, delimiter: str) -> RowFault | None:
    """Return what is wrong with a short row that has other separators than the header.

    Or one that is in quotes as a whole: it stands in its first cell, where a key should be.
    """
    if len(cells) >= width or width < NARROW:
        return None
    text = cells[0] if len(cells) == 1 else "".join(cells)
    for mark in SEPARATORS:
        alone = mark != delimiter or len(cells) == 1
        if alone and mark in cells[0] and is_like_a_row(text.count(mark), width):
            return RowFault("unparted_row", {"cells": _counted(cells), "headers": width})
    return None


def parted(rows: Sequence[Sequence[str]], width: int) -> dict[int, RowFault]:
    """Return what is wrong with rows, by their places, that a line break makes out of one.

    Short rows may be meant so. But where all of them are, one after the other, just the cells of a
    whole row, and as many whole ones are there, a text with a line break stands without quotes:
    unless the rows begin alike, as with the codes L01 and L02.
    """
    found: list[range] = []
    place = whole = 0
    while place < len(rows):
        whole += len(rows[place]) >= width
        if len(rows[place]) < width and any(map(str.strip, rows[place])):
            if (end := _end_of_parts(rows, place, width)) is None:
                return {}
            found.append(range(place, end))
        place = found[-1].stop if found and place in found[-1] else place + 1
    return _parts(found, rows) if len(found) <= whole else {}


def _end_of_parts(rows: Sequence[Sequence[str]], start: int, width: int) -> int | None:
    """Return the place after the short rows that are a whole one together; None if none are."""
    cells = 1
    for place in range(start, len(rows)):
        length = max(len(rows[place]), 1)
        if place > start and _begin_alike(rows[start], rows[place]):
            return None
        cells += length - 1  # the last cell goes on in the next row
        if length >= width or cells > width:
            return None
        if cells == width:
            return place + 1 if place > start else None
    return None


def _begin_alike(row: Sequence[str], later: Sequence[str]) -> bool:
    """Return whether the first cells of two rows are codes of one form, with figures in them."""
    one, two = (
        _WORDS.sub("a", _FIGURES.sub("9", cells[0])) if cells else "" for cells in (row, later)
    )
    return one == two and "9" in one


def _parts(found: Sequence[range], rows: Sequence[Sequence[str]]) -> dict[int, RowFault]:
    faults: dict[int, RowFault] = {}
    for places in found:
        facts = {"parts": len(places)}
        for place in places:
            sure = len(rows[place]) - 1 if place == places.start else 0
            faults[place] = RowFault("parted_row", facts, sure)
    return faults


def swallowed(cells: Sequence[str], row: int, width: int, delimiter: str) -> RowFault | None:
    """Return what is wrong with a row of which a cell holds the rows after it."""
    for place, cell in enumerate(cells):
        if cell.count(delimiter) < _least(width) or not _LINE_ENDS.search(cell):
            continue
        lines = _LINE_ENDS.split(cell)
        if _are_rows(lines, place, len(cells) - 1 - place, width, delimiter):
            others = len(lines) - 1
            facts = {"rows": _named(row + 1, row + others)}
            return RowFault("swallowed_rows", facts, sure=place, others=others)
    return None


def _named(first: int, last: int) -> str:
    if first == last:
        return f"row {first:,}"
    between = "and" if last == first + 1 else "to"
    return f"rows {first:,} {between} {last:,}"


def may_have_swallowed(columns: Sequence[pa.StringArray], width: int, delimiter: str) -> list[int]:
    """Return the places of rows in which a cell of several lines may hold rows."""
    found: set[int] = set()
    for column in columns if width >= NARROW else []:
        many = pc.greater_equal(pc.count_substring(column, delimiter), _least(width))
        places = pc.indices_nonzero(many)
        cells = column.take(places)
        several = pc.or_(pc.match_substring(cells, "\n"), pc.match_substring(cells, "\r"))
        found.update(places.filter(several).to_pylist())
    return sorted(found)


def _least(width: int) -> int:
    """Return how many separators a cell holds that has swallowed a row, or more."""
    return width - 1 - _leeway(width)


def _are_rows(lines: Sequence[str], before: int, after: int, width: int, delimiter: str) -> bool:
    """Return whether the lines of a cell are about as wide as the header, nearly all of them.

    The first one has the cells before it besides, the last one those after it. A separator with a
    blank after it is one of prose.
    """
    separators = [line.count(delimiter) - line.count(f"{delimiter} ") for line in lines]
    separators[0] += before
    separators[-1] += after
    like = sum(is_like_a_row(count, width) for count in separators)
    return like * FIFTH >= sum(1 for line in lines if line.strip()) * (FIFTH - 1)
