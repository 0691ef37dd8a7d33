"""The doors to the outside: each hands over pages of raw rows, or says in a sentence why not."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Source
from sync_core.foundation.settings import Settings
from sync_core.sources.cliniko.lists import ClinikoSource
from sync_core.sources.cliniko.probe import test_account
from sync_core.sources.files.folder import FolderSource
from sync_core.sources.files.published_csv import OnBytes, PublishedCsvSource
from sync_core.sources.google.sheets import SheetsSource
from sync_core.sources.location import (
    CLINIKO,
    HELD_BY_CLINIKO,
    Location,
    Place,
    parse_location,
    place_link,
    place_name,
)
from sync_core.sources.probe import test_source
from sync_core.sources.retry import Asking, Patience

INCREMENTAL = frozenset({"cliniko"})  # kinds of places that can tell what changed

__all__ = [
    "CLINIKO",
    "HELD_BY_CLINIKO",
    "INCREMENTAL",
    "Location",
    "Patience",
    "Place",
    "open_source",
    "parse_location",
    "place_link",
    "place_name",
    "test_place",
    "test_source",
    "worth_testing",
]


def open_source(
    place: Place,
    settings: Settings,
    *,
    on_wait: Callable[[str], None] = lambda _sentence: None,
    on_bytes: OnBytes = lambda _read, _all: None,
    on_step: Callable[[str], None] = lambda _band: None,
    since: datetime | None = None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Source:
    """Return the source of a place; nothing is asked of it yet.

    `on_wait` is told in a sentence whenever its server keeps us waiting for more than 2 s,
    `on_bytes` how much has arrived of a source that is fetched whole, and of how much if known.
    `on_step` the name of the band that begins, where the opening has several. A source of the
    kinds in INCREMENTAL reads only what changed `since`.
    """
    match place.kind:
        case "sheet":
            return SheetsSource(place, settings, Asking("Google", patience, on_wait))
        case "csv":
            asking = Asking("The server of the CSV", patience, on_wait)
            return PublishedCsvSource(place, settings.fetch_timeout, asking, on_bytes)
        case "folder":
            return FolderSource(place)
        case "cliniko":
            return ClinikoSource(
                place=place, settings=settings, since=since, on_wait=on_wait, on_step=on_step
            )


def test_place(place: Place, entity: Entity, settings: Settings) -> str:
    """Read an entity's source to its end, or look whether an account can be read. Raises SyncError.

    Returns a sentence about what is there.
    """
    if place.kind == "cliniko":
        return test_account(place.organization, settings)
    return test_source(open_source(place, settings), entity)


def worth_testing(found: Sequence[Place]) -> list[Place]:
    """Leave out what another one stands for: an account is the same for all its tables."""
    accounts = [place for place in found if place.kind == "cliniko"]
    accounts.sort(key=lambda place: place.entity != "patients")  # of whom the test tells most
    return [place for place in found if place not in accounts[1:]]
