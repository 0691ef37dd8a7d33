"""Syncing the fixed rows: what had failed in a run is tried again, and nothing else is touched."""

import psycopg
import pytest

from sync_core.audit import hash_chain
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import OutcomeKind, Removal, Role
from sync_core.operations import syncs
from sync_core.organizations import policies
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.records import outcomes, read_again
from sync_core.records.outcomes import Wanted
from sync_core.runs import Run, lease, recovery, retries
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row

THERAPISTS = [f.label for f in resources.ENTITIES["therapists"].fields]
SCHEDULES = [f.label for f in resources.ENTITIES["schedules"].fields]


def retry(desk: Desk, run: Run) -> Run:
    return desk.work(syncs.retry(desk.organization, run.id, ANA, "test"))


def taken_back(desk: Desk, run: Run) -> Run:
    plan = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    return desk.work(syncs.confirm(desk.organization, plan.id, ANA, "test"))


def follows(run: Run) -> Run | None:
    """Return the retry that tells what of a run still fails."""
    with db.everywhere() as connection:
        found = retries.latest(connection, run.organization_id, {run.resource: run})
    return next(reversed(found.get(run.resource, [])), None)


def done(run: Run) -> list[tuple[str, str | None]]:
    with db.everywhere() as connection:
        found = outcomes.read(connection, run, Wanted(tuple(OutcomeKind)), ANA)
    return [(one.kind, one.key) for one in found]


def stored(database: psycopg.Connection, run: Run) -> dict[str, str | None]:
    query = "select location_code, city from locations where organization_id = %s"
    return dict(database.execute(query, [run.organization_id]).fetchall())


@pytest.fixture
def partial(desk: Desk) -> Run:
    """Sync a sheet of which two rows fail, where removed rows are deleted."""
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", Policy(removal=Removal.DELETE))
    return desk.sync(
        "locations",
        locations=[HEADER, row("L1"), row("L2", Email="nobody"), row("L3"), row("L4", Phone="x")],
    )


def test_only_what_had_failed_is_applied(
    desk: Desk, partial: Run, database: psycopg.Connection
) -> None:
    desk.write(
        "locations",
        [
            HEADER,
            row("L1", City="Perth"),
            row("L2", City="Broome"),
            row("L4", Phone="x"),
            row("L9"),
        ],
    )
    run = retry(desk, partial)
    assert run.message == (
        f"Tried what failed in run {partial.id} again. 3 locations: 2 created, 0 updated, 1 failed."
    )
    (note,) = run.notes
    assert note.startswith(f"2 rows had failed in run {partial.id}; 3 with their keys or row num")
    assert sorted(done(run)) == [("created", "L2"), ("created", "L9"), ("failed", "L4")]
    assert stored(database, run) == {"L1": None, "L2": "Broome", "L3": None, "L9": None}


def test_a_row_whose_key_was_mended_is_found_by_its_number(desk: Desk) -> None:
    first = desk.sync("locations", locations=[HEADER, row("L1"), row(""), row("L1"), row("L4")])
    assert desk.counts(first, "locations")["failed"] == 2
    desk.write("locations", [HEADER, row("L1"), row("L2"), row("L3"), row("L4", City="Perth")])
    run = retry(desk, first)
    assert done(run) == [("created", "L2"), ("created", "L3")]
    assert desk.counts(run, "locations") == {"read": 3, "created": 2, "unchanged": 1}


def test_a_repeated_key_fails_though_its_other_row_is_not_tried_again(desk: Desk) -> None:
    first = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])
    desk.write("locations", [HEADER, row("L1"), row("L1", City="Perth")])
    run = retry(desk, first)
    assert done(run) == [("failed", "L1")]


def test_nothing_is_removed(desk: Desk, partial: Run, database: psycopg.Connection) -> None:
    desk.write("locations", [HEADER, row("L2")])
    run = retry(desk, partial)
    assert set(stored(database, run)) == {"L1", "L2", "L3"}
    assert (run.status, run.kind) == ("completed", "retry")


def test_who_retried_what_is_in_the_audit(
    desk: Desk, partial: Run, database: psycopg.Connection
) -> None:
    run = retry(desk, partial)
    query = "select kind, detail from actions where run_id = %s"
    assert database.execute(query, [run.id]).fetchall() == [
        ("retried", {"failed_in": partial.id, "rows": 2})
    ]
    with db.everywhere() as connection:
        assert hash_chain.verify(connection, desk.organization).broken is None
    forged = "update runs set retries = null where id = %s"
    with pytest.raises(psycopg.Error, match="has ended and does not change"):
        database.execute(forged, [run.id])


def test_a_retry_can_be_retried(desk: Desk, partial: Run) -> None:
    again = retry(desk, partial)
    assert again.status == "partial"
    desk.write("locations", [HEADER, row("L1"), row("L2"), row("L3"), row("L4")])
    assert done(retry(desk, again)) == [("created", "L2"), ("created", "L4")]


def test_a_retry_that_was_taken_back_mends_nothing(desk: Desk, partial: Run) -> None:
    desk.write("locations", [HEADER, row("L1"), row("L2"), row("L3"), row("L4")])
    again = retry(desk, partial)
    assert follows(partial) == again
    undone = taken_back(desk, again)
    assert follows(partial) is None
    taken_back(desk, undone)
    assert follows(partial) == again


def test_schedules_of_therapists_that_are_mended_follow_them(desk: Desk) -> None:
    def therapist(code: str, email: str) -> list[str]:
        values = {"Therapist ID": code, "Name": code, "Email": email}
        return [values.get(label, "") for label in THERAPISTS]

    def monday(code: str) -> list[str]:
        return [code, "Monday", "9:00", "17:00", ""]

    first = desk.sync(
        "therapists",
        therapists=[THERAPISTS, therapist("T1", "a@x.org"), therapist("T2", "nobody")],
        schedules=[SCHEDULES, monday("T1"), monday("T2")],
    )
    assert first.status == "partial"
    desk.write("therapists", [THERAPISTS, therapist("T1", "b@x.org"), therapist("T2", "c@x.org")])
    desk.write("schedules", [SCHEDULES, monday("T1"), monday("T2")])
    run = retry(desk, first)
    assert [(kind, (key or "")[:2]) for kind, key in done(run)] == [
        ("created", "T2"),
        ("created", "T2"),
    ]


def test_a_retry_whose_worker_died_goes_on(desk: Desk, partial: Run) -> None:
    desk.write("locations", [HEADER, row("L1"), row("L2"), row("L3"), row("L4")])
    run = syncs.retry(desk.organization, partial.id, ANA, "test")
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker")
        assert held
        lease.interrupt(connection, held, "killed", crashed=True)
        recovery.resume(connection)
    assert done(desk.work(run)) == [("created", "L2"), ("created", "L4")]


def test_a_run_without_failed_rows_is_not_retried(desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    with pytest.raises(SyncError) as refused:
        retry(desk, run)
    assert refused.value.code == "nothing_to_retry"


def test_a_run_whose_rows_a_later_sync_has_read_is_not_retried_unless_that_was_undone(
    desk: Desk, partial: Run
) -> None:
    rows = [HEADER, row("L1"), row("L2"), row("L3"), row("L4", Phone="x"), row("L5", Phone="x")]
    later = desk.sync("locations", locations=rows)
    assert left(partial) == ([later.id], 1)  # of two; a row that is new in the source is no such
    with pytest.raises(SyncError, match=f"Run {later.id} has read all rows again") as refused:
        retry(desk, partial)
    assert refused.value.code == "read_by_later_sync"
    desk.write("locations", [*rows[:4], row("L4"), row("L5")])
    again = retry(desk, later)
    assert left(partial) == ([later.id, again.id], 0)
    with pytest.raises(SyncError, match="No row that failed in run") as refused:
        retry(desk, partial)
    assert refused.value.code == "already_fixed"
    taken_back(desk, again)
    taken_back(desk, later)
    assert left(partial) is None
    assert ("created", "L4") in done(retry(desk, partial))


def test_a_run_whose_retry_has_fixed_all_is_not_retried_again(desk: Desk, partial: Run) -> None:
    desk.write("locations", [HEADER, row("L1"), row("L2"), row("L3"), row("L4")])
    fixed = retry(desk, partial)
    with pytest.raises(SyncError, match=f"run {fixed.id} has read them all again"):
        retry(desk, partial)


def left(run: Run) -> tuple[list[int], int | None] | None:
    """Return which runs read the failed rows of a run again, and how many still fail."""
    with db.everywhere() as connection:
        found = read_again.since(connection, run)
    return (list(found.by), found.left) if found else None


def test_who_may_not_sync_does_not_retry(desk: Desk, partial: Run) -> None:
    manager = Person("Michael Tan", "michael.tan@example.org", Role.MANAGER)
    with pytest.raises(SyncError, match="As a manager you may not"):
        syncs.retry(desk.organization, partial.id, manager, "test")
