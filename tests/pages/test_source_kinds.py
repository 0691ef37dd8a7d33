"""A kind of source that nobody has foreseen: declared here, and known everywhere."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pytest

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Page
from sync_core.execution import attempt, readings
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.records import rows
from sync_core.records.rows import View
from sync_core.sources import Location, Opening, SourceKind, SourceSetting
from sync_core.sources.kinds import KINDS
from tests.support.desk import ANA
from tests.support.pages import Visit

ROWS = {
    "brands": [{"Brand code": "BR-1", "Name": "Calm"}, {"Brand code": "BR-2", "Name": "Move"}],
    "packages": [{"Package code": "PK-1", "Brand code": "BR-1", "Name": "Six visits"}],
}


@dataclass(frozen=True)
class ShelfSheet:
    """A table that lies in memory."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    header_row: int = 1
    version: None = None
    notes: tuple[str, ...] = ()
    locale: str | None = None
    unit: Literal["rows", "bytes"] = "rows"

    @property
    def name(self) -> str:
        return f"The shelf of {self.title.lower()}"

    @property
    def total(self) -> int:
        return len(self.rows)

    def pages(self, _numbers: frozenset[int], _cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        columns = [[row.get(header) for row in self.rows] for header in self.headers]
        yield Page(range(2, self.total + 2), columns, done=self.total)

    def link(self, _row: int, _column: int) -> str | None:
        return None


class Shelf:
    """Holds the tables of services; notes since when it was asked for changes."""

    def __init__(self) -> None:
        self.since: list[object] = []

    def open(self, entity: Entity) -> ShelfSheet:
        headers = [field.label for field in entity.fields]
        return ShelfSheet(entity.title, headers, ROWS[entity.name])


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf()

    def parse(text: str) -> Location | None:
        return Location("shelf", text[6:]) if text.startswith("shelf:") else None

    def open_shelf(_setting: SourceSetting, opening: Opening) -> Shelf:
        shelf.since.append(opening.since)
        return shelf

    kind = SourceKind(
        name="shelf",
        title="Shelf",
        icon=":material/shelves:",
        typed="shelf:NAME",
        parse=parse,
        label=lambda setting: f"shelf {setting.location}",
        link=lambda setting: f"https://shelves.example.org/{setting.location}",
        open=open_shelf,
        incremental=True,
    )
    monkeypatch.setitem(KINDS, "shelf", kind)
    return shelf


@pytest.fixture
def found(shelf: Shelf, organization: Organization) -> list[SourceSetting]:
    assert shelf
    services = resources.by_name("services")
    found = source_settings.parse(organization, services, "shelf:B4", None, None)
    with db.everywhere() as connection:
        source_settings.save(connection, organization, found)
        assert source_settings.read(connection, organization, services) == found
    return found


def test_a_new_kind_is_synced_and_asked_only_for_changes(
    shelf: Shelf, found: list[SourceSetting], organization: Organization
) -> None:
    assert {setting.location for setting in found} == {"B4"}
    for _ in range(2):
        run = syncs.start(organization, "services", ANA, "test")
        assert attempt.work(run.id) == "completed"
    with db.everywhere() as connection:
        brands = resources.ENTITIES["brands"]
        assert rows.count(connection, organization.id, brands, View(), ANA) == 2
    first, later = shelf.since[:2], shelf.since[2:]
    assert first == [None, None]
    assert all(later)


def probed_here(organization: Organization, found: list[SourceSetting]) -> list[dict[str, Any]]:
    """Do what processes of their own do, here, where the kind is known."""
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in found]
        read = {
            setting.entity: readings.read_first_rows(
                os.dup(file.fileno()), asdict(setting), "AU", 60, 60
            )
            for setting, file in zip(found, files, strict=True)
        }
        handed = [os.dup(file.fileno()) for file in files]
        told = json.loads(json.dumps(read))
        return readings.compare(
            *handed, organization_id=organization.id, resource="services", read=told
        )


def test_a_new_kind_is_shown_and_tested(
    found: list[SourceSetting], visit: Visit, organization: Organization
) -> None:
    assert found
    tried = probed_here(organization, found)
    assert [probe["sentence"] for probe in tried] == [
        "The shelf of brands can be read: 2 rows, 4 columns.",
        "The shelf of packages can be read: 1 row, 10 columns.",
    ]
    page = visit("sources")
    shown = " ".join(markdown.value for markdown in page.markdown)
    assert ":material/shelves: [shelf B4](https://shelves.example.org/B4)" in shown
    assert "shelf:NAME" in page.text_input[0].placeholder
