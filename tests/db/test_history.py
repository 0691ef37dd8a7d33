"""The history of a record: who changed what, what it was on a day, and what nobody can know."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from sync_core import organizations
from sync_core.audit import exports, hash_chain
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Removal, Role
from sync_core.operations import administration
from sync_core.organizations import policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.records import history
from sync_core.records.history import NOT_KNOWN, Entry, Record, Snapshot
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.shell import ask

VERA = Person("Vera Olsen", "vera.olsen@example.org", Role.VIEWER)
SCHEDULES = ["Therapist ID", "Weekday", "Start", "End", "Location"]
L1, L2 = row("L1", "Harbour Clinic", City="Perth"), row("L2", "Mill Clinic", City="Hobart")


def sync(desk: Desk, *rows: Sequence[object]) -> Run:
    return desk.sync("locations", locations=[HEADER, *rows])


def read(desk: Desk, *key: str, entity: str = "locations", person: Person | None = ANA) -> Record:
    with db.everywhere() as connection:
        return history.read(connection, desk.organization.id, ENTITIES[entity], key, person)


def told(entry: Entry) -> dict[str, tuple[object, object]]:
    return {cell.field.label: (cell.before, cell.after) for cell in entry.cells}


def values(snapshot: Snapshot) -> dict[str, object]:
    return {cell.field.label: cell.after for cell in snapshot.cells}


def edit(database: psycopg.Connection, desk: Desk, sets: str, key: str = "L1") -> None:
    database.execute(
        f"update locations set {sets} where organization_id = %s and location_code = %s",
        [desk.organization.id, key],
    )


def remove(desk: Desk, removal: Removal) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", Policy(removal=removal))


# What runs did


def test_every_change_is_told_newest_first_with_who_when_run_and_row(desk: Desk) -> None:
    runs = [
        sync(desk, L1),
        sync(desk, L2, row("L1", "Harbour Clinic", City="Hobart")),
        sync(desk, L2, row("L1", "Harbour Clinic", City="Hobart")),  # nothing has changed
        sync(desk, row("L1", "Harbour", City="Darwin")),
    ]
    record = read(desk, "L1")
    third, second, first = record.entries
    assert [entry.sentence for entry in record.entries] == ["Updated", "Updated", "Created"]
    assert [entry.run and entry.run.id for entry in record.entries] == [
        runs[place].id for place in (3, 1, 0)
    ]
    assert [entry.row_number for entry in record.entries] == [2, 3, 2]
    assert told(second) == {"City": ("Perth", "Hobart")}
    assert told(third) == {
        "Name": ("Harbour Clinic", "Harbour"),
        "City": ("Hobart", "Darwin"),
    }
    assert told(first)["City"] == (None, "Perth")
    assert told(first)["Name"] == (None, "Harbour Clinic")
    assert (record.name, record.is_there, record.dropped_before) == ("Harbour", True, None)
    assert first.run
    assert first.run.requested_by == "Ana Ruiz"


def test_a_record_is_known_by_any_spelling_of_its_key(desk: Desk) -> None:
    sync(desk, L1)
    assert read(desk, " L1\u200b").title == "L1"
    desk.sync("admins", admins=[["Email", "Name", "Role", "Team", "Active"], ["a@x.org", "A"]])
    assert read(desk, "A@X.org", entity="admins").name == "A"


@pytest.mark.parametrize("key", [["L9"], [], ["L1", "L1"]])
def test_a_record_that_never_was_is_unknown(desk: Desk, key: list[str]) -> None:
    sync(desk, L1)
    with pytest.raises(SyncError, match="There is no record"):
        read(desk, *key)


def test_a_key_of_several_parts_is_read_by_their_types(desk: Desk) -> None:
    desk.sync(
        "therapists",
        therapists=[
            [field.label for field in ENTITIES["therapists"].fields],
            ["T1", "Ada", "", "", "", "", "95.5", "", ""],
        ],
        schedules=[
            ["Therapist ID", "Weekday", "Start", "End", "Location"],
            ["T1", "Mon", "9:00", "17:00", ""],
        ],
    )
    record = read(desk, "T1", "Monday", "9:00", entity="schedules")
    assert record.title == "T1 · Monday · 09:00:00"
    assert [entry.what for entry in record.entries] == ["created"]
    with pytest.raises(SyncError, match="T1 · Monday · noon"):
        read(desk, "T1", "Monday", "noon", entity="schedules")
    assert told(read(desk, "T1", entity="therapists").entries[0])["Hourly rate"] == (
        None,
        Decimal("95.50"),
    )


@pytest.mark.parametrize("removal", [Removal.DEACTIVATE, Removal.DELETE])
def test_a_record_that_is_gone_and_comes_back_keeps_its_history(
    desk: Desk, removal: Removal
) -> None:
    remove(desk, removal)
    sync(desk, L1, L2)
    sync(desk, row("L1", "Harbour Clinic", City="Hobart"), L2)
    sync(desk, L2)
    gone = read(desk, "L1")
    assert (gone.is_there, gone.name) == (False, "Harbour Clinic")
    assert told(gone.entries[0])["City"] == ("Hobart", None)
    sync(desk, row("L1", "Harbour", City="Hobart"), L2)
    record = read(desk, "L1")
    back = "came back" if removal == Removal.DEACTIVATE else "created"
    assert [entry.what for entry in record.entries] == [back, "removed", "updated", "created"]
    assert told(record.entries[3])["City"] == (None, "Perth")


# What it was on a day


def test_a_record_is_shown_as_it_was(desk: Desk) -> None:
    remove(desk, Removal.DELETE)
    moments = [datetime.now(UTC)]
    for city in ("Perth", "Hobart", None, "Darwin"):
        rows = [row("L1", "Harbour Clinic", City=city)] if city else []
        sync(desk, *rows, L2)
        moments.append(datetime.now(UTC))
    record = read(desk, "L1")
    states = [record.as_of(at) for at in moments]
    assert [state.is_there for state in states] == [False, True, True, False, True]
    assert [values(state).get("City") for state in states] == [
        None,
        "Perth",
        "Hobart",
        None,
        "Darwin",
    ]
    assert record.as_of(datetime.now(UTC) + timedelta(days=9)).is_there


# What nobody can know


def test_an_edit_past_the_program_is_told_as_such(desk: Desk, database: psycopg.Connection) -> None:
    first = sync(desk, L1)
    second = sync(desk, row("L1", "Harbour Clinic", City="Hobart"))
    edit(database, desk, "city = 'Cairns'")
    between = datetime.now(UTC)
    third = sync(desk, row("L1", "Harbour Clinic", City="Hobart"))
    record = read(desk, "L1")
    assert [entry.sentence for entry in record.entries] == [
        "Updated",
        f"Changed outside of Sync Desk between run {second.id} and run {third.id}",
        "Updated",
        "Created",
    ]
    assert told(record.entries[0]) == {"City": ("Cairns", "Hobart")}
    assert told(record.entries[1]) == {"City": ("Hobart", "Cairns")}
    assert values(record.as_of(between))["City"] is NOT_KNOWN
    assert values(record.as_of(between))["Name"] == "Harbour Clinic"
    edit(database, desk, "city = 'Darwin'")
    newest = read(desk, "L1").entries[0]
    assert newest.sentence == f"Changed outside of Sync Desk after run {third.id}"
    assert told(newest) == {"City": ("Hobart", "Darwin")}
    assert first.id


def test_first_values_that_somebody_changed_are_not_made_up(
    desk: Desk, database: psycopg.Connection
) -> None:
    first = sync(desk, L1)
    edit(database, desk, "city = 'Cairns'")
    second = sync(desk, row("L1", "Harbour", City="Cairns"))
    record = read(desk, "L1")
    assert [entry.sentence for entry in record.entries] == [
        "Updated",
        f"Changed outside of Sync Desk between run {first.id} and run {second.id}",
        "Created",
    ]
    assert told(record.entries[1]) == {}
    created = told(record.entries[2])
    assert (created["City"], created["Location code"]) == ((None, NOT_KNOWN), (None, "L1"))


def test_a_record_that_came_and_went_past_the_program_is_told_as_such(
    desk: Desk, database: psycopg.Connection
) -> None:
    database.execute(
        "insert into locations (organization_id, location_code, name) values (%s, 'L1', 'X')",
        [desk.organization.id],
    )
    assert [entry.sentence for entry in read(desk, "L1").entries] == ["Added outside of Sync Desk"]
    first = sync(desk, L1)
    where = "where organization_id = %s and location_code = 'L1'"
    database.execute(f"delete from locations {where}", [desk.organization.id])
    gone = read(desk, "L1")
    assert (gone.is_there, gone.name) == (False, "Harbour Clinic")
    second = sync(desk, L1)
    assert [entry.sentence for entry in read(desk, "L1").entries] == [
        "Created",
        f"Removed outside of Sync Desk between run {first.id} and run {second.id}",
        "Updated",
        f"Added outside of Sync Desk before run {first.id}",
    ]


def test_dropped_values_are_said_to_be_so(desk: Desk) -> None:
    remove(desk, Removal.DELETE)
    sync(desk, L1, L2)
    early = datetime.now(UTC)
    sync(desk, row("L1", "Harbour Clinic", City="Hobart"), L2)
    sync(desk, L2)
    sync(desk, row("L1", "Harbour", City="Hobart"), L2)
    administration.drop_values(desk.organization, ANA, datetime.now(UTC))
    dropped = datetime.now(UTC)
    sync(desk, row("L1", "Harbour", City="Darwin"), L2)
    record = read(desk, "L1")
    assert [entry.sentence for entry in record.entries] == [
        "Updated",
        "Created",
        "Removed; its values were deleted",
        "Updated; its values were deleted",
        "Created",
    ]
    assert told(record.entries[1])["City"] == (None, "Hobart")  # it follows from what came later
    assert told(record.entries[4])["City"] == (None, NOT_KNOWN)
    assert record.dropped_before
    assert record.dropped_before < dropped
    assert record.as_of(early).is_dropped
    assert values(record.as_of(early))["City"] is NOT_KNOWN
    assert not record.as_of(dropped).is_dropped
    assert values(record.as_of(dropped))["City"] == "Hobart"
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None


# Who sees what of it


def test_what_somebody_may_not_see_is_masked(desk: Desk, database: psycopg.Connection) -> None:
    header = [field.label for field in ENTITIES["therapists"].fields]

    def pay(rate: str) -> None:
        rows = [header, ["T1", "Ada", "", "", "", "", rate, "", ""]]
        desk.sync("therapists", therapists=rows, schedules=[SCHEDULES])

    pay("95")
    pay("97.5")
    edit_rate = "update therapists set hourly_rate = 99 where organization_id = %s"
    database.execute(edit_rate, [desk.organization.id])
    pay("")
    seen, masked = (read(desk, "T1", entity="therapists", person=who) for who in (ANA, VERA))
    rates = [told(entry)["Hourly rate"] for entry in seen.entries]
    assert [tuple(map(history.in_words, pair)) for pair in rates] == [
        ("99.00", ""),
        ("97.50", "99.00"),
        ("95.00", "97.50"),
        ("", "95.00"),
    ]
    assert [told(entry)["Hourly rate"] for entry in masked.entries] == [
        (MASK, None),
        (MASK, MASK),
        (MASK, MASK),
        (None, MASK),
    ]
    at = masked.happened[1].at
    assert values(masked.as_of(at))["Hourly rate"] is NOT_KNOWN
    assert values(masked.as_of(masked.happened[2].at))["Hourly rate"] == MASK
    assert "97.5" not in repr(masked.entries)


def test_a_record_of_another_organization_is_unknown(desk: Desk) -> None:
    sync(desk, L1)
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{desk.organization.slug[:30]}-b", "Harbor")
    there = Desk(other)
    there.write("locations", [HEADER, row("L1", "Another clinic"), row("L3")])
    there.work(there.start("locations"))
    assert [entry.what for entry in read(desk, "L1").entries] == ["created"]
    assert told(read(there, "L1").entries[0])["Name"] == (None, "Another clinic")
    with pytest.raises(SyncError, match="There is no record 'L3'"):
        read(desk, "L3")


# As files, and in a shell


def lines(desk: Desk, by: Person, as_of: datetime | None = None) -> list[dict[str, str]]:
    export = exports.record(desk.organization, by, ENTITIES["locations"], ["L1"], as_of)
    text = b"".join(exports.write(export)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_history_is_a_file_with_a_line_for_each_field(
    desk: Desk, database: psycopg.Connection
) -> None:
    sync(desk, L1)
    at = datetime.now(UTC)
    run = sync(desk, row("L1", "=Harbour", City="Hobart"))
    edit(database, desk, "city = 'Cairns'")
    found = lines(desk, ANA)
    assert [
        (line["Event"], line["Field"], line["Before"], line["After"]) for line in found[:3]
    ] == [
        (f"Changed outside of Sync Desk after run {run.id}", "City", "Hobart", "Cairns"),
        ("Updated", "Name", "Harbour Clinic", "'=Harbour"),
        ("Updated", "City", "Perth", "Hobart"),
    ]
    assert (found[1]["Run"], found[1]["Person"], found[1]["Row"]) == (str(run.id), "Ana Ruiz", "2")
    assert {line["Field"]: line["Value"] for line in lines(desk, ANA, at)}["City"] == "Perth"
    with pytest.raises(SyncError, match="As a viewer you may not"):
        lines(desk, VERA)
    query = "select detail from actions where organization_id = %s and kind = 'exported'"
    query += " order by id"
    details = [detail for (detail,) in database.execute(query, [desk.organization.id])]
    assert details[0]["filters"] == {"table": "locations", "key": "L1"}
    assert details[0]["rows"] == len(found)


def shell(desk: Desk, *words: str) -> str:
    done = ask("history", *words, "--org", desk.organization.slug)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_shell_tells_a_history(desk: Desk, tmp_path: Path) -> None:
    sync(desk, L1)
    run = sync(desk, row("L1", "Harbour Clinic", City="Hobart"))
    record = ("--record", "locations", "L1")
    text = shell(desk, *record).splitlines()
    assert text[0] == "Locations L1: Harbour Clinic"
    assert text[1].split("\t")[1:] == ["Updated", "Ana Ruiz", f"run {run.id}", "row 2"]
    assert text[2] == "    City: Perth → Hobart"
    answer = json.loads(shell(desk, *record, "--json"))
    assert answer["entries"][0]["cells"] == [
        {"field": "City", "before": "Perth", "after": "Hobart"}
    ]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    asked = json.loads(shell(desk, *record, "--as-of", today, "--json"))
    assert (asked["is_there"], asked["values"]["City"], asked["not_known"]) == (True, "Hobart", [])
    long_ago = shell(desk, *record, "--as-of", "2020-05-03")
    assert long_ago.strip() == "Locations L1 on 3 May 2020: it was not there"
    file = tmp_path / "history.csv"
    assert "Wrote 13 rows" in shell(desk, *record, "--csv", str(file))
    assert file.read_text().startswith("Time (UTC),Run,Person")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--record", "locations", "L9"], 5, "There is no record 'L9' among the locations."),
        (["--record", "shops", "L9"], 2, "'shops' is no table"),
        (["--record", "schedules", "T1"], 2, "'Therapist ID, Weekday, Start'"),
        (["locations", "--record", "locations", "L1"], 2, "name a resource, or a record"),
        (["--as-of", "2026-05-03"], 2, "are of a record"),
        (["--record", "locations", "L1", "--as-of", "yesterday"], 2, "yesterday"),
    ],
)
def test_the_shell_says_what_is_wrong_with_a_question(
    desk: Desk, words: list[str], code: int, told: str
) -> None:
    done = ask("history", *words, "--org", desk.organization.slug)
    assert (done.exit_code, told in done.output) == (code, True), done.output
