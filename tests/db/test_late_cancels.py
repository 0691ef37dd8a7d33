"""A cancel that was taken is obeyed, one that comes too late is refused: there is no third way."""

import threading
from collections.abc import Callable

import psycopg
import pytest

from sync_core import runs
from sync_core.audit import in_words, trail
from sync_core.execution import attempt
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import RunStatus
from sync_core.operations import syncs
from sync_core.runs import Run, lease
from sync_core.runs.filters import Filter
from sync_core.runs.lease import Claim, RunResult
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually

LOCATIONS = [HEADER, row("L1"), row("L2")]
DONE = RunResult(RunStatus.COMPLETED, "Processed 2 locations: 2 created, 0 updated.")
WAITS = RunResult(RunStatus.WAITING, "Waiting for a decision.")


def claimed(run: Run) -> Claim:
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker")
    assert held
    return held


def cancel(desk: Desk, run: Run) -> Run:
    return syncs.cancel(desk.organization, run.id, ANA)


def refusal(ask: Callable[[], object]) -> SyncError:
    with pytest.raises(SyncError) as refused:
        ask()
    return refused.value


def told(desk: Desk) -> list[str]:
    """Return what the audit tells, newest first."""
    with db.everywhere() as connection:
        found = trail.read(connection, Filter(organizations=(desk.organization.id,)), 10)
    return [in_words.event(one) for one in found]


def blocks(database: psycopg.Connection, statement: str) -> bool:
    query = (
        "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query ilike %s"
        " and datname = current_database()"
    )
    return database.execute(query, [f"{statement}%"]).fetchone() is not None


def test_the_cancel_of_a_run_that_has_ended_is_refused_and_recorded_nowhere(desk: Desk) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    refused = refusal(lambda: cancel(desk, run))
    assert refused.code == "already_ended"
    assert refused.sentence == (
        f"The cancel came too late: run {run.id} was through before it (Synced)."
    )
    assert told(desk) == ["Synced", "Started a sync"]


def test_a_cancel_is_obeyed_though_the_worker_had_only_to_end_the_run(
    desk: Desk, database: psycopg.Connection
) -> None:
    desk.write("locations", LOCATIONS)
    run = desk.start("locations")
    held, ended = claimed(run), list[str]()
    worker = threading.Thread(target=lambda: ended.append(attempt.attempt(held)))
    with db.everywhere() as connection:
        runs.request_cancel(connection, desk.organization.id, run.id, ANA)
        worker.start()
        eventually(lambda: blocks(database, "delete from leases"))
    worker.join()
    run = desk.now(run)
    assert (ended, run.message) == (["cancelled"], "Cancelled. Nothing was changed.")
    query = "select 1 from locations where organization_id = %s"
    assert database.execute(query, [desk.organization.id]).fetchall() == []


@pytest.mark.parametrize("result", [DONE, WAITS], ids=["applied", "planned"])
def test_a_run_does_not_end_as_if_nobody_had_asked_to_cancel_it(
    desk: Desk, result: RunResult
) -> None:
    run = desk.start("locations")
    held = claimed(run)
    assert cancel(desk, run).cancelling
    with pytest.raises(lease.CancelledError), db.everywhere() as connection:
        lease.finish(connection, held, result)
    with db.everywhere() as connection:
        lease.finish(connection, held, lease.cancelled())
    assert told(desk) == ["Cancelled", "Asked to cancel", "Started a sync"]


def test_a_cancel_that_waits_for_the_end_of_the_run_is_refused(
    desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.start("locations")
    held, codes = claimed(run), list[str]()
    asks = threading.Thread(target=lambda: codes.append(refusal(lambda: cancel(desk, run)).code))
    with db.everywhere() as connection:
        lease.finish(connection, held, DONE)
        asks.start()
        eventually(lambda: blocks(database, "update leases set cancel_requested_at"))
    asks.join()
    assert codes == ["already_ended"]
    assert told(desk) == ["Synced", "Started a sync"]


def test_who_asks_twice_has_asked_once(desk: Desk) -> None:
    run = desk.start("locations")
    held = claimed(run)
    assert cancel(desk, run).cancelling
    assert cancel(desk, run).cancelling
    with db.everywhere() as connection:
        lease.finish(connection, held, lease.cancelled())
    assert cancel(desk, run).status == "cancelled"
    assert told(desk) == ["Cancelled", "Asked to cancel", "Started a sync"]


@pytest.mark.parametrize("verb", [syncs.cancel, syncs.decline], ids=["cancel", "decline"])
def test_what_was_asked_comes_before_what_it_brought_about(
    desk: Desk, verb: Callable[..., Run]
) -> None:
    plan = desk.preview("locations", locations=LOCATIONS)
    verb(desk.organization, plan.id, ANA)
    assert told(desk) == ["Declined", "Declined a plan", "Previewed a sync"]
    cancel(desk, desk.start("locations"))
    assert told(desk)[:3] == ["Cancelled", "Asked to cancel", "Started a sync"]
