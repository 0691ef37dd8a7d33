"""A preview is a sync that stops after its plan: it shows each change, and makes none."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from sync_core import runs
from sync_core.audit import exports, hash_chain
from sync_core.catalogue import resources
from sync_core.demo import organization as demo
from sync_core.execution import attempt, maintenance
from sync_core.foundation import db, tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind, Removal, Role
from sync_core.operations import syncs
from sync_core.organizations import policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.records import outcomes, privacy, reasons
from sync_core.records.outcomes import Outcome, Wanted
from sync_core.runs import Run, lease, plans, recovery
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

VERA = demo.PEOPLE[0]
THERAPISTS = [f.label for f in resources.ENTITIES["therapists"].fields]
SCHEDULES = [f.label for f in resources.ENTITIES["schedules"].fields]
BEFORE = [HEADER, row("L1", City="Perth"), row("L2"), row("L3", City="Hobart")]
AFTER = [
    HEADER,
    row("L1", City="Broome"),
    row("L2"),
    row("L4", Email="nobody"),
    row("L5", "Mill Clinic", City="Derby"),
]


def delete_removed(desk: Desk, resource: str) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, resource, Policy(removal=Removal.DELETE))


def read(run: Run, person: Person = ANA, **wanted: Any) -> list[Outcome]:  # noqa: ANN401 - of Wanted
    kinds = wanted.pop("kinds", tuple(OutcomeKind))
    with db.everywhere() as connection:
        found = outcomes.read(connection, run, Wanted(kinds, **wanted), person)
        assert outcomes.count(connection, run, Wanted(kinds, **wanted), person) == len(found)
    return found


def keys(found: list[Outcome]) -> list[str | None]:
    return [outcome.key for outcome in found]


@pytest.fixture
def preview(desk: Desk) -> Run:
    """Preview a sheet in which each kind of change is."""
    delete_removed(desk, "locations")
    desk.sync("locations", locations=BEFORE)
    return desk.preview("locations", locations=AFTER)


def everything(database: psycopg.Connection) -> Mapping[str, object]:
    """Return all bytes of the target tables, with their places and who wrote them."""
    query = (
        "select string_agg(t::text || t.ctid || t.xmin || t.xmax, '|' order by t.ctid) from {} t"
    )
    return {name: database.execute(query.format(name)).fetchone() for name in resources.ENTITIES}


def test_a_preview_leaves_every_table_byte_for_byte_as_it_was(
    desk: Desk, database: psycopg.Connection
) -> None:
    delete_removed(desk, "locations")
    desk.sync("locations", locations=BEFORE)
    there = everything(database)
    run = desk.preview("locations", locations=AFTER)
    assert run.status == "waiting"
    assert everything(database) == there
    for table in ("outcomes", "tallies", "issue_tallies"):
        query = f"select count(*) from {table} where run_id = %s"
        assert database.execute(query, [run.id]).fetchone() == (0,)


def test_a_preview_waits_and_says_what_would_happen(preview: Run) -> None:
    assert preview.message == (
        "Waiting for a decision. 4 locations:"
        " 1 to create, 1 to update, 1 unchanged, 1 failed, 1 to remove."
    )
    assert "1 failed: A clinic (Invalid email format)" in preview.log_message
    assert (preview.kind, preview.finished_at, preview.error_code) == ("preview", None, None)
    with db.everywhere() as connection:
        counted = runs.tallies(connection, [preview.id])[preview.id]["locations"]
        kept = plans.of_run(connection, preview.id)
    assert (counted["created"], counted["updated"], counted["unchanged"]) == (1, 1, 1)
    assert kept
    assert {len(kept.entities["locations"].plan_digest)} == {64}


def test_a_preview_shows_each_row_with_its_cells_before_and_after(preview: Run) -> None:
    failed, updated, created, removed = read(preview)
    assert (failed.kind, failed.key, failed.row_number) == ("failed", "L4", 4)
    assert [issue.code for issue in failed.issues] == ["bad_email"]
    assert (updated.kind, updated.changes) == ("updated", {"city": ["Perth", "Broome"]})
    assert created.kind == "created"
    assert created.changes
    assert (created.changes["name"], created.changes["city"]) == ("Mill Clinic", "Derby")
    assert removed.kind == "removed"
    assert removed.changes
    assert removed.changes["city"] == "Hobart"


def test_a_preview_of_a_first_load_shows_the_rows_to_be_created(desk: Desk) -> None:
    run = desk.preview("locations", locations=[HEADER, *(row(f"L{n}") for n in range(3))])
    assert run.message == "Waiting for a decision. 3 locations: 3 to create, 0 to update."
    found = read(run)
    assert keys(found) == ["L0", "L1", "L2"]
    assert [outcome.changes and outcome.changes["name"] for outcome in found] == ["A clinic"] * 3


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"kinds": ["created", "removed"]}, ["L5", "L3"]),
        ({"entity": "locations"}, ["L4", "L1", "L5", "L3"]),
        ({"entity": "brands"}, []),
        ({"field": "city"}, ["L1"]),
        ({"field": "email"}, ["L4"]),
        ({"field": "phone"}, []),
        ({"reason": "bad_email"}, ["L4"]),
        ({"reason": "bad_phone"}, []),
        ({"search": "mill"}, ["L5"]),
        ({"limit": 1, "offset": 1}, ["L1"]),
    ],
    ids=str,
)
def test_planned_changes_are_filtered(
    preview: Run, wanted: Mapping[str, Any], found: list[str]
) -> None:
    kinds = wanted.get("kinds", tuple(OutcomeKind))
    with db.everywhere() as connection:
        read = outcomes.read(connection, preview, Wanted(**{"kinds": kinds, **wanted}), ANA)
    assert keys(read) == found


def test_two_tables_stand_in_one_list_by_their_keys(desk: Desk) -> None:
    run = desk.preview(
        "therapists",
        therapists=[THERAPISTS, ["T1", "Ada", *[""] * (len(THERAPISTS) - 2)]],
        schedules=[SCHEDULES, ["T1", "Monday", "9:00", "17:00", ""]],
    )
    assert [(o.entity, o.key) for o in read(run)] == [
        ("therapists", "T1"),
        ("schedules", "T1 · Monday · 09:00:00"),
    ]


def test_who_may_not_see_personal_data_sees_it_in_no_plan(desk: Desk) -> None:
    pay = THERAPISTS.index("Hourly rate")
    ada = ["T1", "Ada", *[""] * (len(THERAPISTS) - 2)]
    desk.sync("therapists", therapists=[THERAPISTS, ada], schedules=[SCHEDULES])
    paid = [*ada[:pay], "80.50", *ada[pay + 1 :]]
    new = ["T2", *paid[1:]]
    run = desk.preview("therapists", therapists=[THERAPISTS, paid, new])
    shown = [outcome.changes for outcome in read(run)]
    hidden = [outcome.changes for outcome in read(run, VERA)]
    assert shown[0] == {"hourly_rate": [None, 80.5]}
    assert hidden[0] == {"hourly_rate": [None, privacy.MASK]}
    assert shown[1]
    assert hidden[1] == {**shown[1], "hourly_rate": privacy.MASK}


def test_a_plan_leaves_by_the_one_way_of_files(
    preview: Run, desk: Desk, tmp_path: Path, database: psycopg.Connection
) -> None:
    export = exports.outcomes(desk.organization, ANA, preview)
    assert exports.save(export, tmp_path / "plan.csv").rows == 4
    assert export.file == f"locations-run-{preview.id}-plan.csv"
    lines = (tmp_path / "plan.csv").read_text().splitlines()
    assert "Locations,2,updated,A clinic,L1,,,City: Perth → Broome," in lines
    newest = (
        "select kind, detail ->> 'what' from actions where run_id = %s order by id desc limit 1"
    )
    assert database.execute(newest, [preview.id]).fetchone() == ("exported", "plan")
    with pytest.raises(SyncError, match="As a viewer you may not"):
        exports.outcomes(desk.organization, VERA, preview)


def test_a_plan_that_is_declined_is_cleared_away(
    preview: Run, desk: Desk, database: psycopg.Connection
) -> None:
    assert staged(database, preview)
    maintenance.tick()
    assert staged(database, preview)
    ended = syncs.cancel(desk.organization, preview.id, ANA)
    assert (ended.status, ended.message) == ("cancelled", "Declined. Nothing was changed.")
    maintenance.tick()
    assert staged(database, preview) == set()
    assert read(preview) == []  # a page that has not heard of it yet
    assert kinds_of_actions(database, preview) == ["previewed", "declined"]
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None


def staged(database: psycopg.Connection, run: Run) -> set[str]:
    query = "select relname from pg_class where relname like %s and relkind in ('r', 'v')"
    return {name for (name,) in database.execute(query, [f"%\\_{run.id}"])}


def kinds_of_actions(database: psycopg.Connection, run: Run) -> list[str]:
    query = "select kind from actions where run_id = %s order by id"
    return [kind for (kind,) in database.execute(query, [run.id])]


def test_a_plan_on_which_nobody_decides_is_cleared_away(
    preview: Run, database: psycopg.Connection
) -> None:
    made = tables.attempts.c
    with db.everywhere() as connection:
        connection.execute(
            sa.update(tables.attempts)
            .where(made.run_id == preview.id)
            .values(ended_at=made.ended_at - timedelta(hours=recovery.DECISION_HOURS))
        )
    maintenance.tick()
    assert staged(database, preview) == set()
    query = "select status, plans is not null from runs where id = %s"
    assert database.execute(query, [preview.id]).fetchone() == ("expired", True)


def test_a_preview_whose_worker_died_goes_on_and_waits(desk: Desk) -> None:
    desk.write("locations", AFTER)
    desk.set_source("locations")
    run = syncs.preview(desk.organization, "locations", ANA, "test")
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, db.name())
        assert held
        lease.interrupt(connection, held, "killed", crashed=True)
        recovery.resume(connection)
    assert attempt.work(run.id) == "waiting"


def test_another_sync_of_the_resource_may_start_while_a_plan_waits(
    preview: Run, desk: Desk
) -> None:
    assert desk.sync("locations").status == "partial"
    assert len(read(preview)) == 4


def test_a_preview_makes_nothing_fresh(preview: Run, desk: Desk) -> None:
    with db.everywhere() as connection:
        fresh = runs.fresh(connection, desk.organization.id)["locations"]
    assert fresh.id < preview.id


def test_who_may_not_sync_may_neither_preview_nor_decline(preview: Run, desk: Desk) -> None:
    manager = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER)
    ask: Callable[[], object]
    for ask in (
        lambda: syncs.preview(desk.organization, "locations", manager, "test"),
        lambda: syncs.cancel(desk.organization, preview.id, manager),
    ):
        with pytest.raises(SyncError, match="As a manager you may not"):
            ask()


# Why rows are left out


def therapist(code: str, **cells: str) -> list[str]:
    values = {"Therapist_ID": code, "Name": f"Name of {code}", **cells}
    return [values.get(label.replace(" ", "_"), "") for label in THERAPISTS]


def monday(code: str, hours: str = "9:00") -> list[str]:
    return [code, "Monday", hours, "17:00", ""]


def test_reasons_stand_by_cause_with_what_follows_beneath(desk: Desk) -> None:
    run = desk.preview(
        "therapists",
        therapists=[
            THERAPISTS,
            therapist("T1", Email="nobody"),
            therapist("T2", Email="nobody", Phone="not a phone"),
            therapist("T3", Employment_type="FLAT"),
            therapist("T4"),
        ],
        schedules=[
            SCHEDULES,
            *(monday(f"T{n}") for n in range(1, 5)),
            ["T2", "Tuesday", "9:00", "17:00", ""],
            ["T4", "Tuesday", "late", "17:00", ""],
        ],
    )
    with db.everywhere() as connection:
        found = reasons.of_run(connection, run)
    assert [(r.entity, r.field, r.code, r.rows) for r in found] == [
        ("therapists", "Email", "bad_email", 2),
        ("schedules", "Start", "not_a_time", 1),
        ("therapists", "", "FLAT", 1),
        ("therapists", "Phone", "bad_phone", 1),
    ]
    beneath = {r.code: [(f.entity, f.code, f.rows) for f in r.follows] for r in found}
    assert beneath == {
        "bad_email": [("schedules", "parent_failed", 3)],
        "bad_phone": [("schedules", "parent_failed", 2)],
        "FLAT": [("schedules", "FLAT", 1)],
        "not_a_time": [],
    }


def test_an_ended_run_tells_its_reasons_as_its_plan_did(desk: Desk) -> None:
    sheets = {
        "therapists": [THERAPISTS, therapist("T1", Email="nobody")],
        "schedules": [SCHEDULES, monday("T1")],
    }
    planned, applied = desk.preview("therapists", **sheets), desk.sync("therapists", **sheets)
    with db.everywhere() as connection:
        assert reasons.of_run(connection, planned) == reasons.of_run(connection, applied) != []


def test_planned_changes_are_counted_by_kind(preview: Run) -> None:
    with db.everywhere() as connection:
        every = outcomes.by_kind(connection, preview, Wanted(tuple(OutcomeKind)), ANA)
        of_city = outcomes.by_kind(connection, preview, Wanted(tuple(OutcomeKind), field="city"))
    assert every == {"created": 1, "updated": 1, "failed": 1, "removed": 1}
    assert of_city == {"updated": 1}
