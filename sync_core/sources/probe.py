"""Probes: whether a source can be read to its end, and what is there."""

import pyarrow as pa

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page, Source


def read_to_the_end(source: Source, entity: Entity) -> str:
    """Return a sentence about an entity's sheet, after reading it to its end. Raises SyncError."""
    sheet = source.open(entity)
    rows = sum(_filled(page) for page in sheet.pages(frozenset()))
    columns = sum(1 for header in sheet.headers if header.strip())
    return f"{sheet.name} can be read: {_count(rows, 'row')}, {_count(columns, 'column')}."


def _filled(page: Page) -> int:
    """Count the rows of a page that hold anything."""
    columns = [cells.to_pylist() if isinstance(cells, pa.Array) else cells for cells in page.texts]
    return sum(map(any, zip(*columns, strict=True)))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
