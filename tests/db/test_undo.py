"""An undo takes a run back, as far as nobody has changed since what it wrote."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sync_core import runs
from sync_core.audit import hash_chain
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind, Removal, Role
from sync_core.operations import administration, syncs
from sync_core.organizations import policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Guards, Policy
from sync_core.records import history, outcomes
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.runs import Run, plans
from sync_core.runs.plans import Tripped
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

BRANDS = [field.label for field in ENTITIES["brands"].fields]
PACKAGES = [field.label for field in ENTITIES["packages"].fields]
THERAPISTS = [field.label for field in ENTITIES["therapists"].fields]
SCHEDULES = [field.label for field in ENTITIES["schedules"].fields]


def plan_undo(desk: Desk, run: Run) -> Run:
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    assert undo.status == "waiting", undo.message
    return undo


def take_back(desk: Desk, run: Run) -> Run:
    return confirm(desk, plan_undo(desk, run))


def confirm(desk: Desk, undo: Run) -> Run:
    return desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))


def decide(desk: Desk, resource: str, removal: Removal) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, resource, Policy(removal=removal))


def found(run: Run) -> list[Outcome]:
    with db.everywhere() as connection:
        return outcomes.read(connection, run, Wanted(tuple(OutcomeKind)), ANA)


def why(run: Run) -> dict[str | None, list[str]]:
    """Return what is told of each record that is kept, or cannot come back, by its key."""
    return {o.key: [issue.sentence for issue in o.issues] for o in found(run) if o.issues}


def table(database: psycopg.Connection, desk: Desk, entity: str) -> Mapping[str, Any]:
    """Return the records by their keys, as they are, but for when we wrote them."""
    keys = " || ' ' || ".join(field.column for field in ENTITIES[entity].keys)
    query = f"select {keys}, to_jsonb(t) - '{{_created_at,_updated_at}}'::text[] from {entity} t"
    rows = database.execute(f"{query} where organization_id = %s", [desk.organization.id])
    return dict(rows.fetchall())


def change(database: psycopg.Connection, desk: Desk, entity: str, sets: str, where: str) -> None:
    """Change a table past the program."""
    ours = "where organization_id = %s and"
    database.execute(f"update {entity} set {sets} {ours} {where}", [desk.organization.id])


def sheet(labels: list[str], *rows: Mapping[str, str]) -> list[list[str]]:
    return [labels, *([cells.get(label, "") for label in labels] for cells in rows)]


def test_an_undo_waits_and_shows_what_would_be_taken_back(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth"), row("L2")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Broome"), row("L2"), row("L3")])
    undo = plan_undo(desk, run)
    assert (undo.status, undo.kind, undo.undoes) == ("waiting", "undo", run.id)
    assert undo.message == f"Waiting for a decision. Undo of run {run.id}: 2 to undo."
    updated, removed = found(undo)
    assert (updated.kind, updated.changes) == ("updated", {"city": ["Broome", "Perth"]})
    assert (removed.kind, removed.key, removed.row_number) == ("removed", "L3", None)


@pytest.mark.parametrize("removal", list(Removal))
def test_a_run_is_taken_back_and_the_undo_too(
    desk: Desk, database: psycopg.Connection, removal: Removal
) -> None:
    decide(desk, "locations", removal)
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth"), row("L2"), row("L3")])
    before = table(database, desk, "locations")
    later = [HEADER, row("L1", City="Broome"), row("L2"), row("L4", Latitude="-31.95")]
    run = desk.sync("locations", locations=later)
    after = table(database, desk, "locations")
    undo = take_back(desk, run)
    gone = "" if removal is Removal.KEEP else ", 1 removed"
    assert run.message == f"Processed 3 locations: 1 created, 1 updated, 1 unchanged{gone}."
    told = 2 if removal is Removal.KEEP else 3
    assert (undo.status, undo.message) == (
        "completed",
        f"Undo of run {run.id}: {told} undone.",
    )
    assert table(database, desk, "locations") == before
    take_back(desk, undo)
    assert table(database, desk, "locations") == after


def test_a_record_that_had_come_back_is_removed_again(
    desk: Desk, database: psycopg.Connection
) -> None:
    decide(desk, "locations", Removal.DEACTIVATE)
    desk.sync("locations", locations=[HEADER, row("L1"), row("L2", City="Perth")])
    desk.sync("locations", locations=[HEADER, row("L1")])
    before = table(database, desk, "locations")
    back = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", City="Broome")])
    undo = take_back(desk, back)
    assert table(database, desk, "locations") == before
    with db.everywhere() as connection:
        record = history.read(connection, desk.organization.id, ENTITIES["locations"], ["L2"], ANA)
    assert [entry.what for entry in record.entries] == [
        "removed",
        "came back",
        "removed",
        "created",
    ]
    assert not record.is_there
    take_back(desk, undo)
    assert table(database, desk, "locations")["L2"]["_removed_at"] is None


@pytest.mark.parametrize("back", [False, True])
def test_what_a_run_only_marked_does_not_come_back_once_it_is_deleted(
    desk: Desk, database: psycopg.Connection, *, back: bool
) -> None:
    whole = [HEADER, row("L1"), row("L2")]
    desk.sync("locations", locations=whole)
    decide(desk, "locations", Removal.DEACTIVATE)
    run = desk.sync("locations", locations=whole[:2])
    if back:
        desk.sync("locations", locations=whole)
    where = "where organization_id = %s and location_code = 'L2'"
    database.execute(f"delete from locations {where}", [desk.organization.id])
    undo = take_back(desk, run)
    assert why(undo) == {"L2": ["It is no longer there"]}
    assert set(table(database, desk, "locations")) == {"L1"}


def test_what_was_changed_since_is_kept_field_by_field(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth", Postcode="6000")])
    sheet = [HEADER, row("L1", City="Broome", Postcode="6725"), row("L2"), row("L3")]
    run = desk.sync("locations", locations=sheet)
    change(database, desk, "locations", "city = 'Derby'", "location_code = 'L1'")
    change(database, desk, "locations", "city = 'Derby'", "location_code = 'L3'")
    undo = take_back(desk, run)
    there = table(database, desk, "locations")
    assert (there["L1"]["city"], there["L1"]["postcode"]) == ("Derby", "6000")
    assert set(there) == {"L1", "L3"}
    assert undo.message == f"Undo of run {run.id}: 2 undone, 1 kept."
    assert why(undo) == {"L1": ["City was changed since"], "L3": ["It was changed since"]}


def test_runs_that_touched_the_same_rows_since_keep_what_they_wrote(
    desk: Desk, database: psycopg.Connection
) -> None:
    decide(desk, "locations", Removal.DELETE)
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth"), row("L2"), row("L3")])
    fifth = desk.sync(
        "locations",
        locations=[HEADER, row("L1", City="Broome", Address="1 Pier"), row("L3"), row("L4")],
    )
    desk.sync("locations", locations=[HEADER, row("L1", City="Derby", Address="1 Pier"), row("L2")])
    undo = take_back(desk, fifth)
    there = table(database, desk, "locations")
    assert (there["L1"]["city"], there["L1"]["address"]) == ("Derby", None)
    assert set(there) == {"L1", "L2"}
    assert undo.message == (
        f"Undo of run {fifth.id}: 1 undone, 2 up to date already."  # L4 went, L2 came back
    )


def test_values_that_were_dropped_cannot_come_back(desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Broome"), row("L2")])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    administration.drop_values(desk.organization, ANA, tomorrow)
    undo = take_back(desk, run)
    assert (undo.status, undo.message) == (
        "partial",
        f"Undo of run {run.id}: 1 undone, 1 impossible.",
    )
    assert why(undo) == {"L1": ["Its former values were deleted"]}


def test_a_value_that_another_record_holds_now_is_impossible(
    desk: Desk, database: psycopg.Connection
) -> None:
    def sync(first: str, second: str) -> Run:
        people = [
            {"Therapist ID": "T1", "Name": "Ada", "Email": first, "Employment type": "FULL_TIME"},
            {"Therapist ID": "T2", "Name": "Bea", "Email": second, "Employment type": "FULL_TIME"},
        ]
        return desk.sync(
            "therapists", therapists=sheet(THERAPISTS, *people), schedules=sheet(SCHEDULES)
        )

    sync("ada@example.org", "bea@example.org")
    run = sync("a.lane@example.org", "bea@example.org")
    assert run.status == "completed", run.log_message
    sync("a.lane@example.org", "ada@example.org")
    undo = plan_undo(desk, run)
    assert (
        undo.message
        == f"Waiting for a decision. Undo of run {run.id}: nothing to undo, 1 impossible."
    )
    assert why(undo) == {"T1": ["Email already exists"]}
    assert confirm(desk, undo).status == "partial"
    assert table(database, desk, "therapists")["T1"]["email"] == "a.lane@example.org"


def test_nothing_comes_back_to_what_is_gone_nor_goes_from_under_others(
    desk: Desk, database: psycopg.Connection
) -> None:
    decide(desk, "services", Removal.DELETE)

    def sync(brands: list[str], packages: Mapping[str, str]) -> Run:
        named = [{"Brand code": code, "Name": code} for code in brands]
        sold = [
            {"Package code": code, "Brand code": brand, "Name": code}
            for code, brand in packages.items()
        ]
        return desk.sync("services", brands=sheet(BRANDS, *named), packages=sheet(PACKAGES, *sold))

    first = sync(["B1"], {"P1": "B1"})
    second = sync(["B1", "B2"], {"P1": "B1", "P2": "B2"})
    sync(["B1", "B2"], {"P1": "B1", "P2": "B2", "P3": "B2"})
    assert why(plan_undo(desk, second)) == {"B2": ["Some packages refer to it"]}
    fourth = sync(["B1"], {"P1": "B1"})
    database.execute("delete from brands where organization_id = %s", [desk.organization.id])
    undo = plan_undo(desk, fourth)
    assert why(undo) == {}, "brand and packages come back together"
    change(database, desk, "packages", "brand_code = 'B9'", "package_code = 'P1'")
    assert why(plan_undo(desk, first)) == {"P1": ["It was changed since"]}


def test_a_package_does_not_come_back_without_its_brand(
    desk: Desk, database: psycopg.Connection
) -> None:
    decide(desk, "services", Removal.DELETE)
    brand = sheet(BRANDS, {"Brand code": "B1", "Name": "North"})
    sold = {"Package code": "P1", "Brand code": "B1", "Name": "Ten"}
    other = {**sold, "Package code": "P2"}
    desk.sync("services", brands=brand, packages=sheet(PACKAGES, sold, other))
    run = desk.sync("services", brands=brand, packages=sheet(PACKAGES, other))
    database.execute("delete from packages where organization_id = %s", [desk.organization.id])
    database.execute("delete from brands where organization_id = %s", [desk.organization.id])
    assert why(plan_undo(desk, run)) == {"P1": ["Brand code B1 does not exist"]}


def test_an_undo_is_refused_where_a_record_was_changed_after_its_plan(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Broome")])
    undo = plan_undo(desk, run)
    change(database, desk, "locations", "city = 'Derby'", "location_code = 'L1'")
    refused = confirm(desk, undo)
    assert (refused.status, refused.error_code) == ("expired", "plan_outdated")
    assert table(database, desk, "locations")["L1"]["city"] == "Derby"


def test_an_undo_is_refused_that_would_do_again_what_was_put_right_since(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth")])
    run = desk.sync("locations", locations=[HEADER, row("L1", City="Broome")])
    there = table(database, desk, "locations")
    old = plan_undo(desk, run)
    with desk.confirming(old):
        again = take_back(desk, take_back(desk, run))
    assert table(database, desk, "locations") == there  # so that what is planned still fits
    refused = desk.work(old)
    assert (refused.status, refused.error_code) == ("expired", "plan_outdated")
    assert f"run {again.id} has taken run {again.undoes} back" in refused.message
    assert table(database, desk, "locations") == there
    assert take_back(desk, run).message == f"Undo of run {run.id}: 1 undone."


def test_an_undo_is_not_refused_for_that_of_another_run(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1", City="Perth"), row("L2", City="Albany")])
    moved = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", City="Albany")])
    other = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", City="Derby")])
    old = plan_undo(desk, moved)
    take_back(desk, take_back(desk, take_back(desk, other)))
    assert confirm(desk, old).status == "completed"
    found = table(database, desk, "locations")
    assert [found[key]["city"] for key in ("L1", "L2")] == ["Perth", "Albany"]


def test_only_what_was_applied_is_undone_and_only_by_who_may_sync(desk: Desk) -> None:
    failed = desk.sync("locations", locations=[["Nonsense"]])
    assert failed.status == "failed"
    with pytest.raises(SyncError, match="changed nothing that could be undone"):
        syncs.undo(desk.organization, failed.id, ANA, "test")
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    vera = Person("Vera Moss", "vera.moss@example.org", Role.VIEWER)
    with pytest.raises(SyncError, match="As a viewer you may not"):
        syncs.undo(desk.organization, run.id, vera, "test")


def test_who_asked_and_who_confirmed_are_in_the_audit_and_the_chain_holds(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    undo = take_back(desk, run)
    kinds = database.execute("select kind from actions where run_id = %s order by id", [undo.id])
    assert [kind for (kind,) in kinds] == ["asked to undo", "confirmed"]
    with db.everywhere() as connection:
        hash_chain.verify(connection, desk.organization)


def test_an_undo_leaves_the_table_out_of_step(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    take_back(desk, run)
    with db.everywhere() as connection:
        fresh = runs.fresh(connection, desk.organization.id)
    assert fresh["locations"].id == run.id


# Undos that would empty a table

SARAH = Person("Sarah Lim", "sarah.lim@example.org", Role.ANALYST)
BEN = Person("Ben Ito", "ben.ito@example.org", Role.ANALYST)
TWENTY = [row(f"L{n:02}") for n in range(20)]


def undo_by(desk: Desk, run: Run, person: Person) -> Run:
    return desk.work(syncs.undo(desk.organization, run.id, person, "test"))


def guard_off(desk: Desk) -> None:
    """Let no removals hold a plan of locations back."""
    with db.everywhere() as connection:
        off = Policy(guards=Guards(removals=None))
        policies.put(connection, desk.organization, "locations", off)


def held(run: Run) -> list[Tripped]:
    with db.everywhere() as connection:
        kept = plans.of_run(connection, run.id)
    assert kept
    return list(kept.tripped)


def test_an_undo_that_would_empty_a_table_waits_for_a_second_person(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, *TWENTY])
    undo = undo_by(desk, run, SARAH)
    assert undo.message == (
        f"Waiting for approval: 20 of 20 locations would be deleted. Undo of run {run.id}:"
        " 20 to undo."
    )
    (one,) = held(undo)
    assert (one.guard, one.rows, one.of, one.more_than_rows) == ("removals", 20, 20, 10)
    assert one.usual is None
    with pytest.raises(SyncError, match="A guard holds this back, and you requested it yourself"):
        syncs.confirm(desk.organization, undo.id, SARAH, "test")
    assert len(table(database, desk, "locations")) == 20
    ended = desk.work(syncs.confirm(desk.organization, undo.id, BEN, "test"))
    assert (ended.status, ended.message) == ("completed", f"Undo of run {run.id}: 20 undone.")
    assert ended.notes == ["Approved by a person: 20 of 20 locations would be deleted."]
    assert table(database, desk, "locations") == {}
    kinds = database.execute("select kind from actions where run_id = %s order by id", [undo.id])
    assert [kind for (kind,) in kinds] == ["asked to undo", "approved"]


def test_an_administrator_approves_an_undo_of_their_own_unless_four_eyes_are_required(
    desk: Desk,
) -> None:
    run = desk.sync("locations", locations=[HEADER, *TWENTY])
    undo = undo_by(desk, run, ANA)
    administration.set_four_eyes(desk.organization, ANA, required=True)
    with pytest.raises(SyncError, match="lets nobody approve what they requested"):
        syncs.confirm(desk.organization, undo.id, ANA, "test")
    administration.set_four_eyes(desk.organization, ANA, required=False)
    assert confirm(desk, undo).status == "completed"


@pytest.mark.parametrize("which", ["few", "a small part", "put back", "the guard is off"])
def test_an_undo_that_empties_no_table_waits_for_nobody_else(desk: Desk, which: str) -> None:
    few, rows = [HEADER, row("M0", City="Perth")], [HEADER, *TWENTY[:10]]
    before = {"a small part": [HEADER, *(row(f"M{n:03}") for n in range(150))]}.get(which, few)
    if which == "put back":
        before, rows = [HEADER, *TWENTY], [HEADER, *(row(f"L{n:02}", "New") for n in range(20))]
    elif which != "few":
        rows = [HEADER, *TWENTY[:15]]
    if which == "the guard is off":
        guard_off(desk)
    desk.sync("locations", locations=before)
    run = desk.sync("locations", locations=[*before, *rows[1:]] if which != "put back" else rows)
    assert run.status == "completed", run.message
    undo = undo_by(desk, run, SARAH)
    assert held(undo) == []
    assert desk.work(syncs.confirm(desk.organization, undo.id, SARAH, "test")).status == "completed"


def test_an_undo_that_marks_records_as_removed_again_is_judged_alike(desk: Desk) -> None:
    decide(desk, "locations", Removal.DEACTIVATE)
    desk.sync("locations", locations=[HEADER, *TWENTY])
    confirm(desk, desk.sync("locations", locations=[HEADER, *TWENTY[:2]]))
    back = desk.sync("locations", locations=[HEADER, *TWENTY])
    undo = undo_by(desk, back, SARAH)
    assert [one.sentence for one in held(undo)] == ["18 of 20 locations would be deactivated"]
    with pytest.raises(SyncError, match="A guard holds this back"):
        syncs.confirm(desk.organization, undo.id, SARAH, "test")


def test_a_declined_undo_that_a_guard_held_back_says_nothing_of_the_source(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, *TWENTY])
    undo = undo_by(desk, run, SARAH)
    syncs.decline(desk.organization, undo.id, BEN)
    with db.everywhere() as connection:
        assert runs.setbacks(connection, desk.organization.id) == {}
