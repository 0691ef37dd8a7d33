"""Labels are data of the sheet's people: none of them meets a word of our own."""

from collections.abc import Iterator

import psycopg
import pytest

from sync_core.catalogue import resources, target
from sync_core.catalogue.fields import Text
from sync_core.catalogue.resource import Entity, Resource, Skip
from sync_core.foundation import db, tables
from sync_core.foundation.vocabulary import Removal
from tests.support.desk import Desk

OURS = ("Kind", "Key", "Name", "Rule", "Changes", "Issues", "Raw", "Row hash", "Tid", "At")
ROOMS = Entity(
    name="rooms_of_test_labels",
    title="Rooms",
    fields=(
        *(Text(label, key=True) for label in OURS[:3]),
        *(Text(label) for label in OURS[3:]),
        Text("Organization"),
        Text("Entity", required=True),
        Text("T", unique=True),
    ),
    skips=(Skip("closed", label="Rule", value="closed", sentence="The room is closed"),),
    removal=Removal.DELETE,
)
LABELS = [field.label for field in ROOMS.fields]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch, servers: object) -> Iterator[str]:
    """Put a resource into the catalogue for one test, with its table."""
    assert servers
    resource = Resource(
        name=ROOMS.name, title="Rooms", icon=":material/door_front:", entities=(ROOMS,)
    )
    monkeypatch.setitem(resources.CATALOGUE, ROOMS.name, resource)
    monkeypatch.setitem(resources.ENTITIES, ROOMS.name, ROOMS)
    table = target.target(ROOMS)
    with db.as_owner() as connection:
        table.create(connection)
        db.migrate(connection)  # it gets its wall, and the program its rights
    yield ROOMS.name
    with db.as_owner() as connection:
        table.drop(connection)
    tables.metadata.remove(table)


def room(key: str, **cells: str) -> list[str]:
    """Make a row of which each cell says what it is."""
    values = {"Kind": key, "Rule": "", "T": f"t of {key}", **cells}
    return [values.get(label, f"{label.lower()} of {key}") for label in LABELS]


def test_a_sheet_may_be_labelled_with_our_own_words(
    rooms: str, desk: Desk, database: psycopg.Connection
) -> None:
    first = desk.sync(rooms, **{rooms: [LABELS, room("A"), room("B"), room("C")]})
    assert desk.counts(first, rooms) == {"read": 3, "created": 3}
    rows = [room("A"), room("B", At="now"), room("D"), room("E", Rule="closed"), room("D", T="x")]
    again = desk.sync(rooms, **{rooms: [LABELS, *rows, room("F", Entity="")]})
    assert desk.counts(again, rooms) == {
        "read": 6,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "skipped": 1,
        "failed": 2,
        "removed": 1,
    }
    columns = ", ".join(field.column for field in ROOMS.fields)
    stored = database.execute(f"select {columns} from {rooms} order by kind").fetchall()
    expected = [room("A"), room("B", At="now"), room("D")]
    assert [[cell or "" for cell in cells] for cells in stored] == expected
    told = database.execute(
        "select kind, changes from outcomes where run_id = %s and kind = 'updated'", [again.id]
    ).fetchall()
    assert told == [("updated", {"at": ["at of B", "now"]})]
