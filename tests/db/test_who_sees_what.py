"""The table of who sees which field where, and that page, file, search and log keep to it."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest

from sync_core.analytics import reasons
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.catalogue import resources, target
from sync_core.catalogue.fields import Date, Email, Money, Text
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources import ENTITIES
from sync_core.demo import organization as demo
from sync_core.foundation import db, tables
from sync_core.foundation.vocabulary import CHANGED, LEFT_OUT, Removal, Role
from sync_core.organizations.people import Person
from sync_core.records import outcomes, privacy, rows
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.records.privacy import MASK, TABLE, Place, Sight
from sync_core.records.rows import View
from sync_core.runs import Run
from sync_core.runs.filters import Filter
from tests.support.desk import Desk

VERA, SARAH, MICHAEL, ANA = demo.PEOPLE
ROLES = {person.role: person for person in demo.PEOPLE}
SEE: set[Role] = {Role.ANALYST, Role.ADMIN}  # personal data
KINDS = (*CHANGED, *LEFT_OUT)

PAY = next(field for field in ENTITIES["therapists"].fields if field.label == "Hourly rate")
CITY = next(field for field in ENTITIES["locations"].fields if field.label == "City")


# The table


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("role", ROLES)
def test_who_sees_a_personal_field_where(place: Place, role: Role) -> None:
    used = {Place.SEARCH, Place.FILTER, Place.SORT}
    otherwise = Sight.WITHHELD if place in used else Sight.MASKED
    expected = Sight.SHOWN if role in SEE else otherwise
    if place is Place.PROBE:
        expected = Sight.MASKED
    if place is Place.LOG:  # it has one text for all its readers
        expected = Sight.WITHHELD
    assert privacy.sight(PAY, place, ROLES[role]) is expected
    assert privacy.sight(CITY, place, ROLES[role]) is Sight.SHOWN


def test_the_table_names_every_place() -> None:
    assert set(TABLE) == set(Place)


@pytest.mark.parametrize("place", Place)
def test_nobody_at_all_sees_no_personal_field(place: Place) -> None:
    assert privacy.sight(PAY, place) is not Sight.SHOWN
    assert privacy.sight(PAY, place, None) is not Sight.SHOWN


def test_who_reads_several_organizations_sees_what_they_see_in_each_of_them() -> None:
    assert privacy.sight(PAY, Place.EXPORT, ANA, SARAH) is Sight.SHOWN
    assert privacy.sight(PAY, Place.EXPORT, ANA, MICHAEL) is Sight.MASKED


def test_personal_are_patients_their_visits_and_therapists_pay() -> None:
    found = {name: {f.label for f in e.fields if f.sensitive} for name, e in ENTITIES.items()}
    personal = {name for name, labels in found.items() if labels}
    assert personal == {"patients", "appointments", "therapists"}
    assert found["therapists"] == {"Hourly rate"}
    assert found["appointments"] == {"Cliniko patient ID"}  # who comes when
    assert {"Name", "Date of birth", "Email", "Phones", "Address"} <= found["patients"]


# Real rows: a table in which nearly everything is personal, even its key

MEMBERS = Entity(
    name="members_of_test_privacy",
    title="Members",
    fields=(
        Email("Email", key=True, sensitive=True),
        Text("Name", required=True, sensitive=True),
        Text("Badge", unique=True, sensitive=True),
        Money("Pay", sensitive=True, aliases=("Salary",)),
        Date("Born", sensitive=True),
        Text("City"),
        Text("Seat", unique=True),
    ),
    removal=Removal.DELETE,
)
HEADER = ("Email", "Name", "Badge", "Salary", "Born", "City", "Seat", "Notes")
MARK = "zzyx"  # stands in every personal cell, and under the header that nobody declared
OPEN = "Perth"


def member(number: int, **cells: str) -> tuple[str, ...]:
    usual = {
        "Email": f"{MARK}{number}@example.org",
        "Name": f"{MARK} {number}",
        "Badge": f"{MARK}-{number}",
        "Salary": "98765.43",
        "Born": "1943-02-01",
        "City": OPEN,
        "Seat": f"seat {number}",
        "Notes": f"{MARK} knows more",
    }
    return tuple((usual | cells)[label] for label in HEADER)


@dataclass(frozen=True)
class Synced:
    """What a test looks at: a table that was synced three times."""

    desk: Desk
    run: Run
    wanted: Filter


@pytest.fixture
def synced(desk: Desk, servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Synced]:
    """Sync a member who is new, one who changes, one who goes, and some who cannot be stored."""
    assert servers
    resource = Resource(
        name=MEMBERS.name, title="Members", icon=":material/groups:", entities=(MEMBERS,)
    )
    monkeypatch.setitem(resources.CATALOGUE, MEMBERS.name, resource)
    monkeypatch.setitem(resources.ENTITIES, MEMBERS.name, MEMBERS)
    table = target.target(MEMBERS)
    with db.as_owner() as connection:
        table.create(connection)
        db.migrate(connection)  # it gets its wall, and the program its rights
    bad = [
        member(11, Salary=f"{MARK} a year"),
        member(12, Born=f"{MARK}-31-02"),
        member(13, Name="", Salary=f"{MARK} a month"),
        member(1),  # a key twice
        member(14, Badge=f"{MARK}-1"),  # a badge of another
        member(15, Seat="seat 1"),  # an open field, whose holder is called by a personal one
    ]
    keyless = member(16, Email=f"{MARK} at example.org")  # it would keep the others from going
    first = [HEADER, member(1), member(2), member(3), *bad, keyless]
    for _ in range(3):  # so that they fail again and again
        desk.sync(MEMBERS.name, **{MEMBERS.name: first})
    changed = member(2, Name=f"{MARK} anew", Salary="98765.44", City="Hobart")
    files = {MEMBERS.name: [HEADER, member(1), changed, member(4), *bad]}
    run = desk.sync(MEMBERS.name, **files)
    yield Synced(desk, run, Filter(organizations=(desk.organization.id,)))
    with db.as_owner() as connection:
        table.drop(connection)
    tables.metadata.remove(table)


def is_told(text: object) -> bool:
    """Return whether a text holds anything personal."""
    return any(secret in str(text).lower() for secret in (MARK, "98765", "1943"))


def listed(synced: Synced, person: Person, search: str = "") -> list[Outcome]:
    with db.everywhere() as connection:
        return outcomes.read(connection, synced.run, Wanted(KINDS, search, limit=100), person)


def file(export: Export) -> list[dict[str, str]]:
    text = b"".join(exports.write(export)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_rows_came_through_as_they_should(synced: Synced) -> None:
    counts = synced.desk.counts(synced.run, MEMBERS.name)
    assert counts == {
        "read": 9,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "failed": 6,
        "removed": 1,
    }


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
def test_the_page_shows_personal_cells_to_those_who_may_see_them(
    synced: Synced, person: Person
) -> None:
    organization = synced.desk.organization
    with db.everywhere() as connection:
        found = rows.read(connection, organization.id, MEMBERS, View(), person)
    assert is_told(found) == (person.role in SEE)
    assert [OPEN in row for row in found].count(True) == 2
    if person.role not in SEE:
        assert [list(row[:5]) for row in found] == [[MASK] * 5] * 3


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
def test_the_history_shows_them_likewise(synced: Synced, person: Person) -> None:
    found = listed(synced, person)
    assert is_told(found) == (person.role in SEE)
    (updated,) = (outcome for outcome in found if outcome.kind == "updated")
    assert updated.changes is not None
    assert updated.changes["city"] == [OPEN, "Hobart"]
    if person.role not in SEE:
        assert updated.changes["name"] == updated.changes["pay"] == [MASK, MASK]
        assert {(outcome.name, outcome.key) for outcome in found} <= {(MASK, MASK), (MASK, None)}


@pytest.mark.parametrize("person", [MICHAEL, ANA], ids=lambda person: person.role)
def test_page_and_file_of_the_same_outcomes_agree(synced: Synced, person: Person) -> None:
    written = file(exports.outcomes(synced.desk.organization, person, synced.run))
    seen = listed(synced, person)
    assert is_told(written) == (person.role in SEE)

    def told(row: int | None, name: str, key: str, reasons: str, changes: str) -> tuple[str, ...]:
        return (str(row or ""), name, key, reasons, changes)

    assert sorted(
        told(None, line["Name"], line["Key"], line["Reasons"], line["Changes"])[1:]
        for line in written
    ) == sorted(
        told(None, one.name or "", one.key or "", _reasons(one), _changes(one))[1:] for one in seen
    )


def _reasons(outcome: Outcome) -> str:
    return "; ".join(f"{issue.cell}: {issue.told}" for issue in outcome.issues)


def _changes(outcome: Outcome) -> str:
    labels = {field.column: field.label for field in MEMBERS.fields}
    changes: Mapping[str, object] = outcome.changes or {}
    return "; ".join(f"{labels[column]}: {_both(value)}" for column, value in changes.items())


def _both(value: object) -> str:
    values = value if isinstance(value, list) else [value]
    return " → ".join("blank" if one is None else str(one) for one in values)


@pytest.mark.parametrize("person", [SARAH, MICHAEL, ANA], ids=lambda person: person.role)
def test_the_file_of_rows_to_mend_keeps_to_it(synced: Synced, person: Person) -> None:
    found = file(exports.rejects(synced.desk.organization, person, synced.run))
    assert len(found) == 7  # one row has two cells that are wrong
    assert is_told(found) == (person.role in SEE)
    assert {row["City"] for row in found} == {OPEN}
    assert "Notes" not in found[0]  # nobody knows what stands there
    if person.role not in SEE:
        assert {row["Salary"] for row in found} == {MASK}


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
def test_the_analytics_of_failures_keep_to_it(synced: Synced, person: Person) -> None:
    with db.everywhere() as connection:
        again = reasons.offenders(connection, synced.wanted, [person])
        some = {
            reason.code: reasons.rows(connection, synced.wanted, reason.code, [person])
            for reason in reasons.of_rows(connection, synced.wanted)
        }
    assert len(again) == 7
    assert set(some) >= {"not_a_number", "repeated_key", "not_unique", "required", "bad_email"}
    assert is_told(again) == is_told(some) == (person.role in SEE)
    if person.role not in SEE:
        assert {row.name for row in again} == {MASK}
        assert {row.value for row in some["not_a_number"]} <= {MASK, None}


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
@pytest.mark.parametrize("word", [MARK, "98765", MASK])
def test_a_search_finds_what_is_seen_and_nothing_else(
    synced: Synced, person: Person, word: str
) -> None:
    organization = synced.desk.organization
    expected = person.role in SEE and word != MASK
    with db.everywhere() as connection:
        counted = rows.count(connection, organization.id, MEMBERS, View(word), person)
    assert bool(counted) == expected
    if word == MARK or not expected:
        assert bool(listed(synced, person, word)) == expected
    assert listed(synced, person, "required")


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
def test_no_filter_and_no_order_tells_what_is_hidden(synced: Synced, person: Person) -> None:
    organization = synced.desk.organization

    def read(view: View) -> list[str]:
        with db.everywhere() as connection:
            return [row[6] for row in rows.read(connection, organization.id, MEMBERS, view, person)]

    assert (len(read(View(only={"badge": [f"{MARK}-2"]}))) == 1) == (person.role in SEE)
    assert read(View(only={"city": ["Hobart"]})) == ["seat 2"]
    by_key = ["seat 1", "seat 2", "seat 4"]
    assert (read(View(order="email")) == by_key) == (person.role in SEE)
    assert (read(View()) == by_key) == (person.role in SEE)
    with db.everywhere() as connection:
        offered = rows.values(connection, organization.id, MEMBERS, "name", 10)
    assert offered == []


@pytest.mark.parametrize("person", demo.PEOPLE, ids=lambda person: person.role)
def test_the_order_of_rows_that_keep_failing_tells_nothing_hidden(
    synced: Synced, person: Person
) -> None:
    with db.everywhere() as connection:
        told = [one.sentence for one in reasons.offenders(connection, synced.wanted, [person])]
    by_key = ("a number", "a date", "required", "Seat already exists")
    places = [next(n for n, one in enumerate(told) if words in one) for words in by_key]
    assert (places == sorted(places)) == (person.role in SEE)


def test_no_sentence_message_note_or_log_holds_anything_personal(
    synced: Synced, database: psycopg.Connection
) -> None:
    found = database.execute(
        "select message, log_message, notes, advice, attempts.log,"
        " (select jsonb_agg(issues) from outcomes where outcomes.run_id = runs.id)"
        " from runs join attempts on attempts.run_id = runs.id where organization_id = %s",
        [synced.desk.organization.id],
    ).fetchall()
    text = json.dumps(found, default=str, ensure_ascii=False)
    assert not is_told(text)
    assert "row 5 (Pay is not a number" in synced.run.log_message
    assert "Seat already exists" in text


def test_a_sentence_that_quotes_a_hidden_cell_is_not_shown_though_it_was_stored(
    synced: Synced, database: psycopg.Connection
) -> None:
    said = f"Pay is not a number: '{MARK} a year'"
    with database.transaction():
        database.execute("set local session_replication_role = replica")  # past the triggers
        database.execute(
            "update outcomes set issues = jsonb_set(issues, '{0,sentence}', to_jsonb(%s::text))"
            " where run_id = %s and row_number = 5",
            [said, synced.run.id],
        )
    for person in demo.PEOPLE:
        told = [issue.sentence for one in listed(synced, person) for issue in one.issues]
        assert (said in told) == (person.role in SEE)
        assert ("Not a number" in told) == (person.role not in SEE)


def test_a_blank_cell_is_told_from_a_hidden_one(desk: Desk) -> None:
    labels = [field.label for field in ENTITIES["therapists"].fields]

    def therapist(key: str, rate: str) -> list[str]:
        cells = {"Therapist ID": key, "Name": f"Therapist {key}", "Hourly rate": rate}
        return [cells.get(label, "") for label in labels]

    nothing: list[list[str]] = [[f.label for f in ENTITIES["schedules"].fields]]
    first = [labels, therapist("T1", ""), therapist("T2", "90")]
    desk.sync("therapists", therapists=first, schedules=nothing)
    then = [labels, therapist("T1", "95.50"), therapist("T2", "")]
    run = desk.sync("therapists", therapists=then, schedules=nothing)
    entity = ENTITIES["therapists"]
    with db.everywhere() as connection:
        found = rows.read(connection, desk.organization.id, entity, View(), MICHAEL)
        told = outcomes.read(connection, run, Wanted(KINDS), MICHAEL)
    assert [row[labels.index("Hourly rate")] for row in found] == [MASK, None]
    changes = {one.name: (one.changes or {}).get("hourly_rate") for one in told}
    assert changes == {"Therapist T1": [None, MASK], "Therapist T2": [MASK, None]}
    written = file(exports.outcomes(desk.organization, MICHAEL, run))
    assert [row["Changes"] for row in written] == [
        f"Hourly rate: blank → {MASK}",
        f"Hourly rate: {MASK} → blank",
    ]


def test_a_row_whose_cells_are_shifted_shows_and_quotes_none_of_them(
    desk: Desk, database: psycopg.Connection
) -> None:
    labels = [field.label for field in ENTITIES["therapists"].fields]
    start = labels.index("Start date")
    usual = {"Therapist ID": "T1", "Name": "Lim", "Hourly rate": "98765.43"}
    good = [{**usual, "Start date": "", "Active": "yes"}.get(label, "") for label in labels]
    comma = [*good[:1], "Sarah Lim", *good[1:]]  # a name with a comma and without quotes
    comma[0] = "T2"
    assert comma[start] == "98765.43"
    hours: list[list[str]] = [[f.label for f in ENTITIES["schedules"].fields]]
    run = desk.sync("therapists", therapists=[labels, good, comma], schedules=hours)
    assert desk.counts(run, "therapists") == {"read": 2, "created": 1, "failed": 1}
    assert "row 3 (Row has 10 cells, the header has 9)" in run.log_message
    issues = database.execute("select issues from outcomes where run_id = %s", [run.id]).fetchall()
    assert not is_told((run.log_message, issues))
    for person in demo.PEOPLE:
        with db.everywhere() as connection:
            (failed,) = outcomes.read(connection, run, Wanted(["failed"]), person)
        assert (failed.name == MASK) == (person.role not in SEE)
        assert (failed.issues or ())[0].sentence == "Row has 10 cells, the header has 9"
    for person in (SARAH, MICHAEL, ANA):
        (line,) = file(exports.rejects(desk.organization, person, run))
        assert (line["Start date"] == "98765.43") == (person.role in SEE)
        assert is_told(line) == (person.role in SEE)
