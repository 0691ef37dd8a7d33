"""The doors to the outside: each hands over pages of raw rows, or says in a sentence why not."""

from collections.abc import Callable

import pyarrow as pa

from sync_core.resource import Entity, Page, Source
from sync_core.settings import Settings
from sync_core.sources.folder import FolderSource
from sync_core.sources.patience import Asking, Patience
from sync_core.sources.places import Location, Place, parse_location, place_link, place_name
from sync_core.sources.published_csv import PublishedCsvSource
from sync_core.sources.sheets import SheetsSource

__all__ = [
    "Location",
    "Patience",
    "Place",
    "open_source",
    "parse_location",
    "place_link",
    "place_name",
    "test_source",
]


def open_source(
    place: Place,
    settings: Settings,
    *,
    on_wait: Callable[[str], None] = lambda _sentence: None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Source:
    """Give the source of a place; nothing is asked of it yet.

    `on_wait` is told in a sentence whenever its server keeps us waiting for more than 2 s.
    """
    match place.kind:
        case "sheet":
            return SheetsSource(place, settings, Asking("Google", patience, on_wait))
        case "csv":
            asking = Asking("The server of the CSV", patience, on_wait)
            return PublishedCsvSource(place, settings.fetch_timeout, asking)
        case "folder":
            return FolderSource(place)


def test_source(source: Source, entity: Entity) -> str:
    """Read the entity's sheet to its end, and say in a sentence what is there. Raises SyncError."""
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
