import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.foundation import db, tables
from sync_core.foundation.embedded import Urls
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Limits
from sync_core.foundation.vocabulary import ENDED, RunStatus
from sync_core.operations import syncs
from sync_core.organizations import Organization, policies, source_settings
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy
from sync_core.runs import Run, lease, recovery, transitions
from sync_core.runs.lease import Claim, LeaseLostError, RunResult
from tests.support.shell import ask

DONE = RunResult(RunStatus.COMPLETED, "Processed 0 locations: 0 created, 0 updated.")


@pytest.fixture
def start(organization: Organization, ana: Person) -> Callable[[], Run]:
    def begin() -> Run:
        with db.everywhere() as connection:
            return runs.start(connection, organization.id, "locations", ana, trigger="test")

    return begin


def claim(run: Run) -> Claim:
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker")
    assert held is not None
    return held


def status(run: Run) -> str:
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id).status


def let_lease_end(run: Run) -> None:
    with db.everywhere() as connection:
        connection.execute(
            sa.update(tables.leases)
            .where(tables.leases.c.run_id == run.id)
            .values(lease_until=sa.func.clock_timestamp())
        )


def close_dead(run: Run) -> list[int]:
    """Close dead runs, as if Postgres had been up for long."""
    with db.everywhere() as connection:
        return recovery.close_dead(connection, run.organization_id, grace=0)


def test_a_click_is_one_transaction_and_one_that_notes_the_push(
    organization: Organization, ana: Person, own_redis: None
) -> None:
    assert own_redis is None
    commits: list[Connection] = []

    def note(connection: Connection) -> None:
        commits.append(connection)

    folder = source_settings.parse(
        organization, resources.by_name("locations"), "folder:.", None, None
    )
    with db.everywhere() as connection:
        source_settings.save(connection, organization, folder)
    sa.event.listen(db.engine(), "commit", note)
    try:
        run = syncs.start(organization, "locations", ana, "test")
    finally:
        sa.event.remove(db.engine(), "commit", note)
    assert len(commits) == 2
    assert status(run) == "queued"


def test_a_second_start_learns_who_started_the_first(start: Callable[[], Run]) -> None:
    first = start()
    with pytest.raises(SyncError) as caught:
        start()
    assert caught.value.code == "already_running"
    assert caught.value.sentence == "Ana Ruiz started this 0 s ago."
    assert caught.value.facts["run"] == first.id


def test_of_many_starts_at_once_one_wins(start: Callable[[], Run]) -> None:
    results: list[str] = []

    def press() -> None:
        try:
            start()
            results.append("started")
        except SyncError as error:
            results.append(error.code)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["already_running"] * 7 + ["started"]


def test_a_run_is_claimed_once(start: Callable[[], Run]) -> None:
    run = start()
    assert claim(run).attempt == 1
    with db.everywhere() as connection:
        assert lease.claim(connection, run.id, "another worker") is None


def test_an_ended_run_frees_its_resource(start: Callable[[], Run]) -> None:
    held = claim(start())
    with db.everywhere() as connection:
        lease.finish(connection, held, DONE)
    assert start().status == "queued"


def test_an_ended_run_never_changes(start: Callable[[], Run], database: psycopg.Connection) -> None:
    run = start()
    with db.everywhere() as connection:
        lease.finish(connection, claim(run), DONE)
    with pytest.raises(psycopg.errors.RaiseException, match="has ended"):
        database.execute("update runs set message = 'rosy' where id = %s", [run.id])


@pytest.mark.parametrize("old", list(RunStatus))
def test_postgres_allows_the_arrows_of_the_table_and_no_others(
    old: str, start: Callable[[], Run], database: psycopg.Connection
) -> None:
    """Drive a run to `old` along allowed arrows, then try every other status."""
    run = start()
    for step in _way_to(old):
        _set(database, run, step)
    for new in RunStatus:
        if new == old:
            continue
        allowed = (old, new) in transitions.TRANSITIONS
        with database.transaction(force_rollback=True):
            if allowed:
                _set(database, run, new)
            else:
                with pytest.raises(psycopg.errors.RaiseException), database.transaction():
                    _set(database, run, new)


def _way_to(status: str) -> list[str]:
    ways: dict[str, list[str]] = {"queued": []}
    while status not in ways:
        for old, new in transitions.TRANSITIONS:
            if old in ways and new not in ways:
                ways[new] = [*ways[old], new]
    return ways[status]


def _set(database: psycopg.Connection, run: Run, status: str) -> None:
    finished = "clock_timestamp()" if status in ENDED else "null"
    database.execute(
        f"update runs set status = %s, finished_at = {finished} where id = %s", [status, run.id]
    )


def test_a_closed_attempt_can_neither_write_nor_finish(start: Callable[[], Run]) -> None:
    run = start()
    held = claim(run)
    let_lease_end(run)
    assert close_dead(run) == [run.id]
    for late in (lease.fence, lease.renew):
        with pytest.raises(LeaseLostError), db.everywhere() as connection:
            late(connection, held)
    with pytest.raises(LeaseLostError), db.everywhere() as connection:
        lease.finish(connection, held, DONE)
    assert status(run) == "interrupted"


def test_nobody_is_called_dead_who_could_not_reach_postgres_since_it_started(
    start: Callable[[], Run],
) -> None:
    run = start()
    claim(run)
    let_lease_end(run)
    with db.everywhere() as connection:
        assert recovery.close_dead(connection, run.organization_id, grace=3600) == []
    assert close_dead(run) == [run.id]


def test_an_interrupted_run_goes_on_as_the_same_run(start: Callable[[], Run]) -> None:
    run = start()
    claim(run)
    let_lease_end(run)
    close_dead(run)
    with db.everywhere() as connection:
        assert run.id in {queued.id for queued in recovery.resume(connection)}
    assert claim(run).attempt == 2


def test_the_third_crash_fails_a_run(start: Callable[[], Run]) -> None:
    run = start()
    for _ in range(recovery.MAX_CRASHES):
        held = claim(run)
        with db.everywhere() as connection:
            lease.interrupt(connection, held, "its worker died", crashed=True)
            recovery.resume(connection)
    assert status(run) == "failed"
    with db.everywhere() as connection:
        ended = runs.get(connection, run.organization_id, run.id)
    assert ended.message == "It crashed 3 times and is not tried again. Nothing was changed."


def test_a_stop_on_request_is_no_crash(start: Callable[[], Run]) -> None:
    run = start()
    for _ in range(recovery.MAX_CRASHES + 1):
        held = claim(run)
        with db.everywhere() as connection:
            lease.interrupt(connection, held, "its worker was asked to stop", crashed=False)
            recovery.resume(connection)
    assert status(run) == "queued"


def test_a_dead_run_says_so_before_anybody_closes_it(start: Callable[[], Run]) -> None:
    run = start()
    claim(run)
    assert not read(run).lost
    let_lease_end(run)
    assert read(run).lost


def read(run: Run) -> Run:
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id)


def test_a_queued_run_is_cancelled_at_once(start: Callable[[], Run], ana: Person) -> None:
    run = start()
    with db.everywhere() as connection:
        ended = runs.request_cancel(connection, run.organization_id, run.id, ana)
    assert (ended.status, ended.message) == ("cancelled", "Cancelled. Nothing was changed.")


def test_a_running_run_is_asked_to_stop(start: Callable[[], Run], ana: Person) -> None:
    run = start()
    held = claim(run)
    with db.everywhere() as connection:
        asked = runs.request_cancel(connection, run.organization_id, run.id, ana)
    assert (asked.status, asked.cancelling) == ("running", True)
    with db.everywhere() as connection:
        assert lease.renew(connection, held).cancelled


def test_a_cancel_that_is_not_obeyed_is_enforced(start: Callable[[], Run], ana: Person) -> None:
    run = start()
    claim(run)
    with db.everywhere() as connection:
        runs.request_cancel(connection, run.organization_id, run.id, ana)
        connection.execute(
            sa.update(tables.leases)
            .where(tables.leases.c.run_id == run.id)
            .values(cancel_requested_at=sa.text("clock_timestamp() - interval '11 seconds'"))
        )
    with db.everywhere() as connection:
        assert recovery.enforce_cancels(connection) == [run.id]
    assert status(run) == "cancelled"


def test_a_cancel_survives_the_death_of_the_worker(start: Callable[[], Run], ana: Person) -> None:
    run = start()
    held = claim(run)
    with db.everywhere() as connection:
        runs.request_cancel(connection, run.organization_id, run.id, ana)
        lease.interrupt(connection, held, "its worker died", crashed=True)
    assert status(run) == "cancelled"


def test_a_queued_run_knows_its_place(
    start: Callable[[], Run], organization: Organization, ana: Person
) -> None:
    first = start()
    with db.everywhere() as connection:
        second = runs.start(connection, organization.id, "admins", ana, trigger="test")
        places = runs.queue_positions(connection, organization.id)
    assert places[second.id] > places[first.id]  # after the firsts of other organizations
    claim(first)
    with db.everywhere() as connection:
        after = runs.queue_positions(connection, organization.id)
    assert set(after) == {second.id}


def test_the_usual_time_of_a_phase_is_the_median_of_the_runs_that_came_through(
    start: Callable[[], Run], organization: Organization
) -> None:
    with db.everywhere() as connection:
        assert runs.usual_phases(connection, organization.id, "locations") == {}
    for ending, seconds in ((DONE, 1), (DONE, 3), (DONE, 90), (lease.cancelled(), 900)):
        held = claim(start())
        with db.everywhere() as connection:
            lease.finish(connection, held, dataclasses.replace(ending, phases={"saving": seconds}))
    with db.everywhere() as connection:
        usual = runs.usual_phases(connection, organization.id, "locations")
    assert usual == {"saving": 3}


def test_a_plan_on_which_nobody_decides_expires(start: Callable[[], Run]) -> None:
    run = start()
    with db.everywhere() as connection:
        waits = RunResult(RunStatus.WAITING, "37 rows would be removed.")
        lease.finish(connection, claim(run), waits)
        assert run.id not in recovery.expire_plans(connection)
        made = tables.attempts.c
        connection.execute(
            sa.update(tables.attempts)
            .where(made.run_id == run.id)
            .values(ended_at=made.ended_at - timedelta(hours=recovery.DECISION_HOURS))
        )
        assert run.id in recovery.expire_plans(connection)
        found = runs.get(connection, run.organization_id, run.id)
    assert (found.status, found.error_code) == ("expired", "expired")
    assert found.message == "Nobody decided on the plan within 24 h. Nothing was changed."


def test_a_run_that_is_active_for_too_long_is_timed_out(start: Callable[[], Run]) -> None:
    run = start()
    claim(run)
    with db.everywhere() as connection:
        assert run.id in recovery.close_overdue(connection, Limits(3600, {"locations": 0}))
    assert status(run) == "timed_out"


@pytest.mark.parametrize("claimed", [True, False], ids=["running", "queued"])
def test_a_run_is_timed_out_after_the_minutes_that_its_organization_decided(
    start: Callable[[], Run], organization: Organization, *, claimed: bool
) -> None:
    run = start()
    if claimed:
        claim(run)
    with db.everywhere() as connection:
        policies.put(connection, organization, "locations", Policy(limit_minutes=2))
        assert lease.limit(connection, run.id, Limits(3600, {"locations": 1})) == 120
        assert run.id not in recovery.close_overdue(connection, Limits(0.001, {}))
        kept = tables.runs.c
        moved = sa.update(tables.runs).where(kept.id == run.id)
        connection.execute(
            moved.values(active_since=kept.active_since - timedelta(minutes=2, seconds=1))
        )
        assert run.id in recovery.close_overdue(connection, Limits(3600, {"locations": 3600}))
        found = runs.get(connection, run.organization_id, run.id)
    assert found.message == (
        "It took longer than 2 min and was ended. Nothing was changed."
        if claimed
        else "No worker took it within 2 min, so it was ended. Nothing was changed."
    )


def test_a_run_that_waited_behind_another_did_not_take_long(start: Callable[[], Run]) -> None:
    run = start()
    kept = tables.runs.c
    earlier = kept.queued_at - timedelta(minutes=40)
    queued = sa.update(tables.runs).where(kept.id == run.id)
    with db.everywhere() as connection:
        connection.execute(queued.values(active_since=earlier, queued_at=earlier))
    claim(run)
    with db.everywhere() as connection:
        assert run.id in recovery.close_overdue(connection, Limits(3600, {"locations": 1800}))
        found = runs.get(connection, run.organization_id, run.id)
    assert found.message == (
        "It was not finished after 30 min, most of which it waited for a worker, and was ended."
        " Nothing was changed."
    )


def test_a_run_that_nobody_took_up_again_did_not_take_long(start: Callable[[], Run]) -> None:
    """Its worker was stopped after a moment, and then there was none."""
    run = start()
    held = claim(run)
    kept = tables.runs.c
    with db.everywhere() as connection:
        lease.interrupt(connection, held, "its worker was asked to stop", crashed=False)
        earlier = kept.queued_at - timedelta(minutes=40)
        queued = sa.update(tables.runs).where(kept.id == run.id)
        connection.execute(queued.values(active_since=earlier, queued_at=earlier))
        assert run.id in recovery.close_overdue(connection, Limits(3600, {"locations": 1800}))
        found = runs.get(connection, run.organization_id, run.id)
    assert found.message == (
        "It was not finished after 30 min, most of which it waited for a worker, and was ended."
        " Nothing was changed."
    )


@pytest.mark.parametrize("words", [["status", "{run}"], ["history", "locations"]])
def test_the_shell_ends_a_run_over_its_limit_though_no_worker_is_alive(
    start: Callable[[], Run], organization: Organization, words: list[str]
) -> None:
    run = start()
    claim(run)
    kept = tables.runs.c
    with db.everywhere() as connection:
        earlier = sa.update(tables.runs).where(kept.id == run.id)
        connection.execute(earlier.values(active_since=kept.active_since - timedelta(days=1)))
    told = ask(*(one.format(run=run.id) for one in words), "--org", organization.slug)
    assert status(run) == "timed_out"
    assert "imed out" in told.output


def test_whoever_closes_a_run_ends_the_backend_that_applies(
    start: Callable[[], Run], database: psycopg.Connection, servers: Urls
) -> None:
    run = start()
    claim(run)
    url = servers.database.replace("+psycopg", "")
    with psycopg.connect(url, application_name="a worker") as applying:
        applying.execute("select from runs where id = %s for share", [run.id])
        let_lease_end(run)
        close_dead(run)
        with pytest.raises(psycopg.OperationalError):
            applying.execute("select 1")
        applying.close()
    assert status(run) == "interrupted"
    assert database.execute("select 1").fetchone() == (1,)


def test_runs_of_another_organization_cannot_be_seen(
    start: Callable[[], Run], servers: Urls
) -> None:
    run = start()
    assert servers
    with db.everywhere() as connection:
        other = organizations.add(connection, f"other-{run.id}", "Harbour Clinics")
        with pytest.raises(SyncError, match="There is no run"):
            runs.get(connection, other.id, run.id)
        assert runs.latest(connection, other.id) == {}
        assert runs.history(connection, other.id) == []


def test_the_active_run_stands_before_a_newer_ended_one(
    start: Callable[[], Run], organization: Organization
) -> None:
    ended = start()
    with db.everywhere() as connection:
        lease.finish(connection, claim(ended), DONE)
    running = start()
    with db.everywhere() as connection:
        assert runs.latest(connection, organization.id)["locations"].id == running.id
        listed = [run.id for run in runs.history(connection, organization.id)]
    assert listed == [running.id, ended.id]
