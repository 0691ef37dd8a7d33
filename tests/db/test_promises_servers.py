"""What is promised while Redis or Postgres are frozen, gone, wiped or restarted."""

import signal
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from sync_core.execution import attempt, queue
from sync_core.foundation import db, redis_clients
from tests.support import long_run, processes, watching
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.processes import Crew, kill
from tests.support.waiting import eventually
from tests.support.watching import attempts, ended, read

pytestmark = pytest.mark.alone


NO_ANSWER = "Redis does not answer"
NO_POSTGRES = "no heartbeat, Postgres does not answer"


def test_a_wiped_redis_loses_no_run(crew: Crew, desk: Desk) -> None:
    crew(SLOW_PAGE="0.2")
    active = long_run.start(desk)
    desk.write("admins", [["Email", "Name", "Role", "Team", "Active"], ["a@x.org", "Ada"]])
    queued = desk.start("admins")
    ((wiped,),) = watching.ask("select clock_timestamp()")
    redis_clients.client().flushdb()
    eventually(lambda: queued.id in queue.pushed(), 5)
    ((pushed,),) = watching.ask("select pushed_at from runs where id = :r", r=queued.id)
    assert (pushed - wiped).total_seconds() < 5
    assert ended(active).message == long_run.ALL_CREATED
    assert attempts(active) == ["completed"]
    assert ended(queued).status == "completed"


def test_with_a_frozen_redis_a_run_is_started_in_2_s_and_comes_through(
    crew: Crew, desk: Desk
) -> None:
    worker = crew()
    desk.write("locations", [HEADER, row("L1")])
    with processes.frozen(processes.valkey()):
        start = time.monotonic()
        run = desk.start("locations")
        assert time.monotonic() - start < 2
        assert read(run).status == "queued"
    assert ended(run).status == "completed"
    assert worker.is_alive()


def test_without_redis_an_active_run_goes_on_and_the_worker_survives(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    with processes.gone(processes.valkey):
        assert ended(run).message == long_run.ALL_CREATED
        desk.write("admins", [["Email", "Name", "Role", "Team", "Active"], ["a@x.org", "Ada"]])
        second = desk.start("admins")
        eventually(lambda: NO_ANSWER in workers_log.read_text())
        assert worker.is_alive()
    assert ended(second).status == "completed"
    assert attempts(run) == ["completed"]
    assert processes.end(worker) == 0


def test_a_work_horse_that_is_killed_while_redis_is_frozen_is_seen_within_a_second(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew("--without-maintenance", SLOW_PAGE="0.5")
    run = long_run.start(desk)
    with processes.frozen(processes.valkey()):
        eventually(lambda: NO_ANSWER in workers_log.read_text())  # and it asks again at once
        kill(processes.work_horse(worker))
        eventually(lambda: attempts(run) == ["its work-horse died (SIGKILL)"], 1)


@pytest.mark.parametrize("phase", ["downloading", "processing", "saving"])
def test_a_crash_of_postgres_neither_repeats_nor_loses_a_row(
    phase: str, crew: Crew, desk: Desk
) -> None:
    crew(SLOW_PAGE="0.05", SLOW_PLAN="0.5", SLOW_APPLY="0.5")
    run = long_run.start(desk, phase)
    kill(processes.postmaster())
    run = ended(run)
    assert (run.status, run.message) == ("completed", long_run.ALL_CREATED)
    assert long_run.every_row_once(run)


def test_a_run_goes_on_after_an_outage_of_postgres(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    with processes.frozen(processes.supervisor()):
        kill(processes.postmaster(), signal.SIGINT)
        eventually(lambda: NO_POSTGRES in workers_log.read_text())
    run = ended(run)
    assert run.message == long_run.ALL_CREATED
    assert long_run.went_on(run)
    assert long_run.every_row_once(run)
    assert worker.is_alive()


def test_a_postgres_that_is_away_when_a_page_is_to_be_kept_is_no_crash_of_the_run(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew(SLOW_PAGE="0.3")
    run = long_run.start(desk)
    postgres = processes.postmaster()
    with processes.frozen(processes.supervisor()):
        with processes.frozen(processes.work_horse(worker)):
            kill(postgres, signal.SIGINT)
            eventually(lambda: psutil.Process(postgres).status() == psutil.STATUS_ZOMBIE)
        eventually(lambda: NO_POSTGRES in workers_log.read_text())
    assert ended(run).message == long_run.ALL_CREATED
    assert watching.ask("select crashes from runs where id = :r", r=run.id) == [(0,)]


@pytest.mark.parametrize("lose", ["truncate", "drop table"])  # a crash may forget the table
def test_what_a_crash_of_postgres_emptied_is_read_again(crew: Crew, desk: Desk, lose: str) -> None:
    crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    with db.everywhere() as connection:
        connection.execute(sa.text(f"{lose} staging.locations_rows_{run.id}"))
        if lose == "drop table":
            connection.execute(sa.text("delete from checkpoints where run_id = :r"), {"r": run.id})
    run = ended(run)
    assert attempts(run) == ["Postgres lost what was staged", "completed"]
    assert not long_run.went_on(run)
    assert long_run.every_row_once(run)


@pytest.mark.parametrize("lose", ["truncate", "drop table"])
def test_a_plan_that_a_crash_of_postgres_emptied_is_never_applied(
    crew: Crew, desk: Desk, lose: str
) -> None:
    """The apply would find nothing to do, and tell the counts of the plan that was."""
    crew(SLOW_PLAN="1")
    old = "insert into brands (organization_id, brand_code, name) values (:o, 'B0', 'Old')"
    with db.everywhere() as connection:  # the plan of a first load is no table of its own
        connection.execute(sa.text(old), {"o": desk.organization.id})
    desk.write("brands", [["Brand code", "Name", "Website", "Active"], ["B1", "Calm"]])
    packages = "Package code,Brand code,Name,Price,Currency,Sessions,Duration,Valid from"
    desk.write("packages", [[*packages.split(","), "Valid until", "Active"], ["P1", "B1", "One"]])
    run = desk.start("services")
    eventually(
        lambda: watching.ask(
            "select 1 from pg_tables where tablename = :t", t=f"brands_plan_{run.id}"
        )
    )
    with db.everywhere() as connection:
        connection.execute(sa.text(f"{lose} staging.brands_plan_{run.id}"))
    run = ended(run)
    assert run.message == "Brands: 1 created, 0 updated. Packages: 1 created, 0 updated."
    assert attempts(run) == ["Postgres lost what was staged", "completed"]
    counts = "select count(*) from brands where organization_id = :o"
    assert watching.ask(counts, o=run.organization_id) == [(2,)]


def test_a_connection_that_is_lost_while_the_last_commit_gets_through_repeats_nothing(
    desk: Desk, database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = psycopg.Connection.commit
    lost: list[psycopg.Connection] = []
    status = "select status from runs where id = %s"

    def commit_and_lose(connection: psycopg.Connection) -> None:
        commit(connection)
        if not lost and database.execute(status, [run.id]).fetchone() == ("completed",):
            lost.append(connection)
            connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    desk.write("locations", long_run.SHEET)
    run = desk.start("locations")
    monkeypatch.setattr(psycopg.Connection, "commit", commit_and_lose)
    assert attempt.work(run.id) == "closed by somebody else"
    assert lost
    assert attempts(run) == ["completed"]
    assert long_run.every_row_once(run)
