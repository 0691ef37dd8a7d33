"""Therapists and their schedules: rules, references, unique addresses, and what removal means."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind, Removal
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from sync_core.records import outcomes as records
from sync_core.records.outcomes import Wanted
from sync_core.runs import Run
from tests.support import therapists_oracle as oracle
from tests.support.desk import Desk, Rows

Outcomes = Callable[..., list[tuple[Any, ...]]]


def sheet(labels: tuple[str, ...], *rows: dict[str, str]) -> Rows:
    return [labels, *([row.get(label, "") for label in labels] for row in rows)]


def therapist(code: str, name: str = "Ada", **cells: str) -> dict[str, str]:
    more = {label.replace("_", " "): text for label, text in cells.items()}
    return {"Therapist ID": code, "Name": name, **more}


def schedule(
    code: str, weekday: str = "Monday", start: str = "9:00", **cells: str
) -> dict[str, str]:
    return {"Therapist ID": code, "Weekday": weekday, "Start": start, "End": "17:00", **cells}


def sync(
    desk: Desk, *therapists: dict[str, str], schedules: tuple[dict[str, str], ...] = ()
) -> Run:
    return desk.sync(
        "therapists",
        therapists=sheet(oracle.THERAPIST_LABELS, *therapists),
        schedules=sheet(oracle.SCHEDULE_LABELS, *schedules),
    )


def stored(database: psycopg.Connection, run: Run, columns: str) -> list[tuple[Any, ...]]:
    query = f"select {columns} from therapists where organization_id = %s order by therapist_id"
    return database.execute(query, [run.organization_id]).fetchall()


def sentences(outcomes: Outcomes, run: Run) -> list[tuple[str, int, str]]:
    return [
        (entity, number, issue["sentence"])
        for entity, number, issues in outcomes(run, "entity, row_number, issues")
        for issue in issues or ()
    ]


def test_what_changed_is_told_in_the_order_of_the_tables(desk: Desk) -> None:
    run = sync(desk, therapist("T2"), therapist("T1"), schedules=(schedule("T1"),))
    with db.everywhere() as connection:
        told = records.read(connection, run, Wanted([OutcomeKind.CREATED]))
    assert [(one.entity, one.row_number) for one in told] == [
        ("therapists", 2),
        ("therapists", 3),
        ("schedules", 2),
    ]


def test_flat_therapists_are_skipped_apart_and_so_are_their_schedules(
    desk: Desk, outcomes: Outcomes
) -> None:
    run = sync(
        desk,
        therapist("T1"),
        therapist("T2", "Bob", Employment_type="flat"),
        therapist("T3", "Cy", Employment_type="FLAT", Email="not an address"),
        schedules=(schedule("T1"), schedule("T2")),
    )
    assert run.status == "completed"
    assert run.message == (
        "Therapists: 1 created, 0 updated, 2 FLAT skipped."
        " Schedules: 1 created, 0 updated, 1 FLAT skipped."
    )
    assert ("schedules", 3, "FLAT employment type") in sentences(outcomes, run)


def test_a_schedule_of_a_failed_or_unknown_therapist_fails_with_the_reason(
    desk: Desk, outcomes: Outcomes
) -> None:
    run = sync(
        desk,
        therapist("T1", Phone="call me"),
        schedules=(schedule("T1"), schedule("T9")),
    )
    assert run.status == "partial"
    assert sentences(outcomes, run)[:2] == [
        ("schedules", 2, "Therapist ID T1 failed (row 2)"),
        ("schedules", 3, "Therapist ID T9 does not exist"),
    ]


def test_two_people_may_swap_their_addresses(desk: Desk, database: psycopg.Connection) -> None:
    ada, ben = "ada@example.org", "ben@example.org"
    sync(desk, therapist("T1", Email=ada), therapist("T2", Email=ben))
    run = sync(desk, therapist("T1", Email=ben.upper()), therapist("T2", Email=ada.title()))
    assert run.message.startswith("Therapists: 0 created, 2 updated.")
    assert stored(database, run, "therapist_id, email") == [("T1", ben), ("T2", ada)]


def test_an_address_that_somebody_holds_fails_whatever_its_capitals(
    desk: Desk, outcomes: Outcomes
) -> None:
    sync(desk, therapist("T1", Email="ada@example.org"))
    run = sync(
        desk,
        therapist("T1", Email="ada@example.org"),
        therapist("T2", Email="ADA@example.org"),
        therapist("T3", Email="cy@example.org"),
        therapist("T4", Email="Cy@Example.org"),
    )
    assert sentences(outcomes, run) == [
        ("therapists", 3, "Email already exists"),
        ("therapists", 5, "Email already exists"),
    ]
    besides = [issues[0]["beside"] for (issues,) in outcomes(run, "issues") if issues]
    assert besides == ["row 2", "row 4"]
    assert "2 failed: Ada (Email already exists), Ada (Email already exists)." in run.log_message


def test_a_location_that_was_removed_does_not_exist(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    database.execute(
        "insert into locations (organization_id, location_code, name, _removed_at) values"
        " (%(o)s, 'L1', 'Open', null), (%(o)s, 'L2', 'Closed', now())",
        {"o": desk.organization.id},
    )
    run = sync(desk, therapist("T1", Location="L1"), therapist("T2", Location="L2"))
    assert sentences(outcomes, run) == [("therapists", 3, "Location L2 does not exist")]


def test_keys_that_differ_only_in_their_unicode_form_are_one_key(
    desk: Desk, database: psycopg.Connection, outcomes: Outcomes
) -> None:
    run = sync(
        desk,
        therapist("É1"),
        therapist(" \u00a0E\u03011\u200b"),
        therapist("é1"),  # case is kept
        therapist("'007", "עדה לוי"),
        therapist("9007199254740993123", "🙂 Ada"),
    )
    assert sentences(outcomes, run) == [("therapists", 3, "Duplicate of row 2: Therapist ID É1")]
    assert sorted(stored(database, run, "therapist_id, name")) == [
        ("007", "עדה לוי"),
        ("9007199254740993123", "🙂 Ada"),
        ("É1", "Ada"),
        ("é1", "Ada"),
    ]


@pytest.mark.parametrize(
    ("removal", "left"),
    [
        (Removal.KEEP, ["T1", "T2", "T3", "T4"]),
        (Removal.DEACTIVATE, ["T1", "T2", "T3", "T4 is removed"]),
        (Removal.DELETE, ["T1", "T2", "T3"]),
    ],
)
def test_a_row_that_was_read_is_never_removed_though_it_failed_or_was_skipped(
    desk: Desk, database: psycopg.Connection, removal: Removal, left: list[str]
) -> None:
    _decide(desk, removal)
    sync(desk, *(therapist(f"T{n}") for n in range(1, 5)))
    run = sync(
        desk,
        therapist("T1"),
        therapist("T2", Active="perhaps"),
        therapist("T3", Employment_type="FLAT"),
    )
    shown = "therapist_id || case when _removed_at is null then '' else ' is removed' end"
    assert [text for (text,) in stored(database, run, shown)] == left
    assert desk.counts(run, "therapists").get("removed", 0) == (removal != Removal.KEEP)


@pytest.mark.parametrize("removal", Removal)
def test_a_schedule_refers_to_the_therapists_of_its_run_whatever_removal_means(
    desk: Desk, outcomes: Outcomes, removal: Removal
) -> None:
    _decide(desk, removal)
    sync(desk, therapist("T0"))
    run = sync(
        desk,
        therapist("T1"),
        therapist("T2", Employment_type="FLAT"),
        therapist("T3", Phone="call me"),
        schedules=tuple(schedule(f"T{n}") for n in range(4)),
    )
    kinds = outcomes(run, "entity, row_number, kind")
    found = {number: kind for entity, number, kind in kinds if entity == "schedules"}
    left = "created" if removal is Removal.KEEP else "failed"  # T0 is gone from the source
    assert found == {2: left, 3: "created", 4: "skipped", 5: "failed"}
    assert ("schedules", 5, "Therapist ID T3 failed (row 4)") in sentences(outcomes, run)


@pytest.mark.parametrize("removal", [Removal.DEACTIVATE, Removal.DELETE])
def test_nothing_is_removed_where_a_key_cannot_be_read(
    desk: Desk, database: psycopg.Connection, removal: Removal
) -> None:
    _decide(desk, removal)
    sync(desk, therapist("T1"), therapist("T2"))
    run = sync(desk, therapist("T1"), therapist("#REF!"))
    assert stored(database, run, "therapist_id, _removed_at") == [("T1", None), ("T2", None)]
    assert "Therapists: nothing was removed, for the key of 1 row cannot be read." in run.notes


def test_whoever_comes_back_counts_as_updated(desk: Desk, database: psycopg.Connection) -> None:
    _decide(desk, Removal.DEACTIVATE)
    sync(desk, therapist("T1"), therapist("T2"))
    sync(desk, therapist("T1"))
    run = sync(desk, therapist("T1"), therapist("T2"))
    assert desk.counts(run, "therapists") == {"read": 2, "updated": 1, "unchanged": 1}
    assert stored(database, run, "_removed_at") == [(None,), (None,)]


def _decide(desk: Desk, removal: Removal) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "therapists", Policy(removal=removal))
