"""What is promised of workers that die, freeze, hang, or are told to stop."""

from functools import partial

import psutil
import psycopg
import pytest
from rq import Queue

from sync_core import runs
from sync_core.execution import maintenance, run_jobs
from sync_core.foundation import db, redis_clients, settings
from sync_core.operations import syncs
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from sync_core.runs import Run, lease, recovery
from tests.support import long_run, processes, watching
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.processes import Crew, Process, kill, work_horse
from tests.support.waiting import eventually
from tests.support.watching import attempts, ended, read

pytestmark = pytest.mark.alone


def is_at_work(run: Run, earlier: int) -> bool:
    """Return whether an attempt works on the run, after so many `earlier` ones."""
    return attempts(run)[earlier:] == [None]


def seconds_until_seen(run: Run, worker: Process) -> float:
    """Kill the work-horse of a run; returns the seconds until its first attempt was closed."""
    ((killed,),) = watching.ask("select clock_timestamp()")
    kill(work_horse(worker))
    assert attempts(ended(run)) == ["its work-horse died (SIGKILL)", "completed"]
    ((seen,),) = watching.ask(
        "select ended_at from attempts where run_id = :r and attempt = 1", r=run.id
    )
    return float((seen - killed).total_seconds())


def test_a_killed_work_horse_is_seen_within_a_second_and_its_run_goes_on(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    assert seconds_until_seen(run, worker) < 1
    assert read(run).message == long_run.ALL_CREATED
    assert long_run.went_on(run)
    assert long_run.every_row_once(run)


def test_a_killed_work_horse_is_seen_within_a_second_though_postgres_cannot_end_all_its_backends(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    ((name,),) = watching.ask("select worker from leases where run_id = :r", r=run.id)
    address = settings.urls().database.replace("+psycopg", "")
    with (
        psycopg.connect(address, application_name=name) as its_own,
        processes.frozen(its_own.info.backend_pid),
    ):
        assert seconds_until_seen(run, worker) < 1


def test_a_dead_worker_is_seen_within_15_s_though_nobody_else_is_alive(
    crew: Crew, desk: Desk
) -> None:
    worker = crew("--without-maintenance", SLOW_PAGE="0.3")
    run = long_run.start(desk)
    its_work_horse = work_horse(worker)
    assert its_work_horse is not None
    worker.kill()
    eventually(lambda: read(run).lost, 15)
    assert not psutil.pid_exists(its_work_horse)
    maintenance.tick()
    assert attempts(run) == ["its worker went silent"]
    crew()
    run = ended(run)
    assert (run.attempt, run.message) == (2, long_run.ALL_CREATED)


def test_a_run_whose_worker_dies_three_times_fails_with_a_sentence(crew: Crew, desk: Desk) -> None:
    worker = crew(SLOW_PAGE="0.1")
    desk.write("locations", long_run.SHEET)
    run = desk.start("locations")
    for number in range(recovery.MAX_CRASHES):
        eventually(partial(is_at_work, run, number))
        kill(work_horse(worker))
    run = ended(run)
    assert (run.status, run.error_code) == ("failed", "crashed")
    assert run.message == "It crashed 3 times and is not tried again. Nothing was changed."
    assert (
        watching.ask("select 1 from locations where organization_id = :o", o=run.organization_id)
        == []
    )


def test_a_frozen_attempt_writes_nothing_after_it_was_closed_and_ends_by_itself(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    zombie = work_horse(worker)
    assert zombie is not None
    with processes.frozen(zombie):
        watching.let_time_pass(lease.LEASE_SECONDS)
        eventually(lambda: attempts(run) == ["its worker went silent"])
        crew(SLOW_PAGE="0.2")
        eventually(lambda: read(run).attempt == 2)
    eventually(lambda: not psutil.pid_exists(zombie))
    run = ended(run)
    assert attempts(run) == ["its worker went silent", "completed"]
    assert (watching.staged(run), run.message) == (long_run.ROWS, long_run.ALL_CREATED)
    assert worker.is_alive()


def test_a_run_over_its_limit_is_timed_out_by_its_own_worker(crew: Crew, desk: Desk) -> None:
    crew("--without-maintenance", SLOW_PAGE="0.3", SYNCDESK_TIME_LIMIT="600 locations=2")
    run = ended(long_run.start(desk), 2 + 15)
    assert (run.status, run.error_code) == ("timed_out", "timed_out")
    assert run.message == "It took longer than 1 min and was ended. Nothing was changed."


def test_the_limit_that_an_organization_has_decided_stands_before_the_usual_one(
    crew: Crew, desk: Desk, database: psycopg.Connection
) -> None:
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", Policy(limit_minutes=1))
    crew("--without-maintenance", SLOW_PAGE="0.3")
    run = long_run.start(desk)
    earlier = "active_since = active_since - interval '60 seconds'"
    database.execute(f"update runs set {earlier} where id = %s", [run.id])
    run = ended(run, 15)
    assert run.message == "It took longer than 1 min and was ended. Nothing was changed."


def test_a_run_over_its_limit_ends_even_where_its_work_is_stuck(crew: Crew, desk: Desk) -> None:
    crew("--without-maintenance", SLOW_PLAN="600", SYNCDESK_TIME_LIMIT="2")
    desk.write("locations", [HEADER, row("L1")])
    run = ended(desk.start("locations"), 2 + 15)
    assert run.status == "timed_out"


def test_the_time_limit_of_rq_is_one_more_way_to_time_out(crew: Crew, desk: Desk) -> None:
    desk.write("locations", long_run.SHEET)
    desk.set_source("locations")
    with db.everywhere() as connection:
        run = runs.start(connection, desk.organization.id, "locations", ANA, trigger="test")
    run_jobs.queue(redis_clients.pushing_client()).enqueue(
        run_jobs.WORK, run.id, job_id=run_jobs.name(run.id), job_timeout=3
    )
    crew("--without-maintenance", SLOW_PAGE="0.3")
    assert ended(run).status == "timed_out"


@pytest.mark.parametrize("path", ["sync_core.jobs.work", "sync_core.a_room_that_moved.work"])
def test_a_job_that_was_queued_under_an_older_path_is_pushed_again_and_worked_on(
    path: str, crew: Crew, desk: Desk
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    desk.set_source("locations")
    with db.everywhere() as connection:
        run = runs.start(connection, desk.organization.id, "locations", ANA, trigger="test")
        runs.mark_pushed(connection, run.id)
    Queue(run_jobs.QUEUE, connection=redis_clients.pushing_client()).enqueue(
        path, run.id, job_id=f"run-{run.id}", job_timeout=60
    )
    crew()
    assert ended(run).message == "Processed 1 location: 1 created, 0 updated."
    assert attempts(run) == ["completed"]


def test_a_worker_that_is_told_to_stop_gives_its_run_back_within_10_s(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PAGE="0.3")
    run = long_run.start(desk)
    assert processes.end(worker, 10) == 0
    assert attempts(run) == ["its worker was asked to stop"]
    crew()
    run = ended(run)
    assert (run.attempt, run.message) == (2, long_run.ALL_CREATED)
    assert watching.ask("select crashes from runs where id = :r", r=run.id) == [(0,)]
    assert long_run.went_on(run)
    assert long_run.every_row_once(run)


def confirmed(desk: Desk) -> Run:
    """Preview the long run, confirm its plan, and wait until a worker checks the plan."""
    desk.write("locations", long_run.SHEET)
    desk.set_source("locations")
    run = ended(syncs.preview(desk.organization, "locations", ANA, "test"))
    assert run.status == "waiting"
    run = syncs.confirm(desk.organization, run.id, ANA, "test")
    eventually(lambda: attempts(run) == ["waiting", None] and watching.phase(run) == "processing")
    return run


def test_a_confirmed_plan_whose_work_horse_dies_is_applied_once(crew: Crew, desk: Desk) -> None:
    worker = crew(SLOW_PLAN="1")
    run = confirmed(desk)
    kill(work_horse(worker))
    run = ended(run)
    assert attempts(run) == ["waiting", "its work-horse died (SIGKILL)", "completed"]
    assert run.message == long_run.ALL_CREATED
    assert long_run.every_row_once(run)


def test_a_confirmed_plan_whose_worker_is_told_to_stop_is_applied_once(
    crew: Crew, desk: Desk
) -> None:
    worker = crew(SLOW_PLAN="1")
    run = confirmed(desk)
    assert processes.end(worker, 10) == 0
    crew()
    run = ended(run)
    assert attempts(run) == ["waiting", "its worker was asked to stop", "completed"]
    assert run.message == long_run.ALL_CREATED
    assert long_run.every_row_once(run)


def test_a_confirmed_plan_is_cancelled_while_it_is_checked(crew: Crew, desk: Desk) -> None:
    crew(SLOW_PLAN="3")
    run = confirmed(desk)
    syncs.cancel(desk.organization, run.id, ANA)
    run = ended(run)
    assert (run.status, run.message) == ("cancelled", "Cancelled. Nothing was changed.")
    there = "select 1 from locations where organization_id = :o"
    assert watching.ask(there, o=run.organization_id) == []


def test_a_maintenance_that_died_is_started_again(crew: Crew) -> None:
    worker = crew()
    first = eventually(lambda: processes.maintenance(worker))
    kill(first)
    eventually(lambda: processes.maintenance(worker) not in {None, first})
