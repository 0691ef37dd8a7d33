"""The shape of a row as evidence: too many cells, a file that ends in it, rows in one cell."""

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sync_core.catalogue.source import RowFault

NARROW = 4  # columns; of fewer, prose in a cell may look like a row
FIFTH = 5

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
    count = "1 cell" if len(cells) == 1 else f"{len(cells):,} cells"
    return RowFault("cut_off_row", {"cells": count, "headers": width}, sure=len(cells) - 1)


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
