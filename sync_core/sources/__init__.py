"""The doors to the outside: each hands over pages of raw rows, or says in a sentence why not."""

from collections.abc import Callable

from sync_core.resource import Source
from sync_core.settings import Settings
from sync_core.sources.folder import FolderSource
from sync_core.sources.patience import Asking, Patience
from sync_core.sources.places import Location, Place, parse_location, place_link, place_name
from sync_core.sources.published_csv import OnBytes, PublishedCsvSource
from sync_core.sources.sheets import SheetsSource
from sync_core.sources.trial import test_source

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
    on_bytes: OnBytes = lambda _read, _all: None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Source:
    """Give the source of a place; nothing is asked of it yet.

    `on_wait` is told in a sentence whenever its server keeps us waiting for more than 2 s,
    `on_bytes` how much has arrived of a source that is fetched whole, and of how much if known.
    """
    match place.kind:
        case "sheet":
            return SheetsSource(place, settings, Asking("Google", patience, on_wait))
        case "csv":
            asking = Asking("The server of the CSV", patience, on_wait)
            return PublishedCsvSource(place, settings.fetch_timeout, asking, on_bytes)
        case "folder":
            return FolderSource(place)
