"""What is promised while Redis or Postgres answer with errors, or tell another time."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from sync_core.execution import queue
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.errors import SyncError
from sync_core.runs import lease, recovery
from tests.support import bends, long_run, next_version, owner, processes, watching
from tests.support.desk import Desk
from tests.support.processes import Crew
from tests.support.waiting import eventually
from tests.support.watching import attempts, ended, read

pytestmark = pytest.mark.alone

WORKER_AND_MAINTENANCE = 2  # processes, each with a line of its own
LINES_OF_RQ = 2  # that a work-horse ended, and how
ADMINS = [["Email", "Name", "Role", "Team", "Active"], ["a@x.org", "Ada"]]


def test_a_worker_outlives_every_error_of_redis_and_goes_on_when_it_heals(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew()
    desk.write("admins", ADMINS)
    for error in bends.REDIS_ERRORS:
        told = len(workers_log.read_text())
        with bends.redis_answers(error):
            run = desk.start("admins")
            eventually(lambda: "continues without it" in workers_log.read_text()[told:])  # noqa: B023
            assert worker.is_alive(), error
            assert read(run).status == "queued"
        assert ended(run).status == "completed", error
        eventually(lambda: "Redis does its work again." in workers_log.read_text()[told:])  # noqa: B023
        lines = [one for one in workers_log.read_text()[told:].splitlines() if "Redis" in one]
        assert sum("continues without it" in line for line in lines) <= WORKER_AND_MAINTENANCE, (
            lines
        )
    assert processes.end(worker) == 0


@pytest.mark.parametrize("error", ["OOM", "NOPERM to wait", "WRONGTYPE"])
def test_an_outage_of_redis_fills_no_log_however_long_it_lasts(
    crew: Crew, desk: Desk, workers_log: Path, error: str
) -> None:
    worker = crew()
    under_way = long_run.start(desk)
    told = len(workers_log.read_text())
    desk.write("admins", ADMINS)
    with bends.redis_answers(error):
        waiting = desk.start("admins")
        assert ended(under_way).status == "completed"
        refused = bends.refused()
        eventually(lambda: bends.refused() > refused + 20, 60)
    assert ended(waiting).status == "completed"
    eventually(lambda: "Redis does its work again." in workers_log.read_text()[told:])
    lines = workers_log.read_text()[told:].splitlines()
    of_rq = [line for line in lines if "Redis" not in line]  # RQ could not note the run's end
    assert len(of_rq) <= LINES_OF_RQ, lines
    assert 0 < len(lines) - len(of_rq) <= 2 * WORKER_AND_MAINTENANCE, lines
    assert processes.end(worker) == 0


def test_a_run_goes_on_while_redis_takes_no_writes(crew: Crew, desk: Desk) -> None:
    worker = crew(SLOW_PAGE="0.02")
    run = long_run.start(desk)
    with bends.redis_answers("OOM"):
        assert ended(run).message == long_run.ALL_CREATED
    desk.write("admins", ADMINS)
    assert ended(desk.start("admins")).status == "completed"
    assert attempts(run) == ["completed"]
    assert worker.is_alive()


def test_a_worker_that_starts_while_redis_answers_with_errors_works_when_it_heals(
    own_redis: None, desk: Desk, workers_log: Path
) -> None:
    assert own_redis is None
    desk.write("admins", ADMINS)
    with bends.redis_answers("NOPERM"):
        run = desk.start("admins")
        worker = processes.worker(LOG=str(workers_log))
        eventually(lambda: "answers with an error" in workers_log.read_text(), despite=(OSError,))
    assert ended(run).status == "completed"
    assert processes.end(worker) == 0


def _refusal() -> str | None:
    """Return the code of the error with which Postgres refuses a new connection, if it does."""
    db.engine().dispose()
    try:
        with db.everywhere():
            return None
    except sa.exc.OperationalError as error:
        told = db.as_sync_error(error)
        return told.code if told else "unknown"


def test_a_postgres_full_of_connections_is_no_crash_and_work_goes_on_when_some_are_free(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    desk.write("admins", ADMINS)
    second = desk.start("admins")
    with bends.full_of_connections(but_for=db.name()):
        eventually(lambda: "too many connections" in workers_log.read_text())
        eventually(lambda: _refusal() == "database_crowded")  # once our own one is taken, too
    assert ended(run).message == long_run.ALL_CREATED
    assert ended(second).status == "completed"
    assert watching.ask("select crashes from runs where id = :r", r=run.id) == [(0,)]
    assert long_run.every_row_once(run)
    assert worker.is_alive()


def test_who_is_silent_while_postgres_takes_no_connections_did_not_crash(
    own_redis: None, desk: Desk
) -> None:
    assert own_redis is None
    desk.write("admins", ADMINS)
    run = desk.start("admins")
    with db.everywhere() as connection:
        assert lease.claim(connection, run.id, "one that gets no connection")
    jump(120)
    with bends.full_of_connections(but_for=db.name()):
        eventually(db.refuses)
        with db.everywhere() as connection:  # one that was kept
            assert run.id in recovery.close_dead(connection, grace=0)
    assert not db.refuses()
    assert watching.ask("select crashes from runs where id = :r", r=run.id) == [(0,)]
    assert attempts(run) == ["its worker went silent: Postgres took no connections"]


def test_a_refusal_excuses_silence_for_as_long_as_a_lease_lasts(
    servers: embedded.Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert servers
    watch = recovery.Watch()
    assert not watch.excuses_silence()
    watch.note_refusal()
    assert watch.excuses_silence()
    later = time.monotonic() + lease.LEASE_SECONDS + recovery.BLIND_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not watch.excuses_silence()


def test_a_worker_of_another_schema_takes_no_run_and_says_why(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew()
    desk.write("admins", ADMINS)
    with bends.schema("of_tomorrow"):
        run = desk.start("admins")
        for whose in ("the database's schema is not", "maintenance rests: the schema is not"):
            sentence = f"{whose} {db.newest_revision()}"
            eventually(lambda: sentence in workers_log.read_text())  # noqa: B023
        assert queue.problem() == queue.OTHER_WORKERS
        assert read(run).status == "queued"
        assert attempts(run) == []
    assert queue.problem() is None
    assert ended(run).status == "completed"
    assert attempts(run) == ["completed"]
    assert processes.end(worker) == 0


def test_a_deploy_under_load_loses_no_run_and_counts_no_crash(
    crew: Crew, desk: Desk, tmp_path: Path
) -> None:
    program = next_version.make(tmp_path / "next")
    desk.write("admins", ADMINS)
    old = crew(SLOW_PAGE="0.1")
    under_way = long_run.start(desk)
    with bends.schema(str(db.newest_revision())):  # and puts it back
        next_version.migrate(program)
        waiting = desk.start("admins")
        assert ended(under_way).message == long_run.ALL_CREATED
        with next_version.worker(program):
            assert ended(waiting).status == "completed"
            with owner.connect() as connection:
                put = "update alembic_version set version_num = %s"
                connection.execute(put, [db.newest_revision()])
            on_the_old_schema = desk.start("admins")
            assert ended(on_the_old_schema).status == "completed"
    for run in (under_way, waiting, on_the_old_schema):
        assert attempts(run) == ["completed"]
        assert watching.ask("select crashes from runs where id = :r", r=run.id) == [(0,)]
    assert processes.end(old) == 0


def jump(seconds: float) -> None:
    """Set the clock of Postgres forward, or back: what it had written is so much earlier, or later.

    To a jump, the age of what is written is all that changes.
    """
    watching.let_time_pass(seconds)


@pytest.mark.parametrize("seconds", [-120, -7200, -86_400])
def test_a_killed_worker_is_seen_within_15_s_though_the_clock_is_set_back(
    crew: Crew, desk: Desk, seconds: int
) -> None:
    worker = crew("--without-maintenance", SLOW_PAGE="0.2")
    run = long_run.start(desk)
    crew(SLOW_PAGE="0.02")
    worker.kill()
    worker.join()
    jump(seconds)
    eventually(lambda: attempts(run)[0] == "its worker went silent", 15)
    assert ended(run).message == long_run.ALL_CREATED


def test_a_living_worker_keeps_its_run_though_the_clock_jumps(crew: Crew, desk: Desk) -> None:
    # a busy machine may starve the worker's own maintenance, and take seconds for each renewal
    crew("--without-maintenance", SLOW_PAGE="1.2")
    run = long_run.start(desk)
    watch = recovery.Watch()
    renewed = "select 1 from leases where lease_until between now() and now() + '13 s'"
    for seconds in (120, -120, 7200, -7200, 86_400, -86_400):
        assert closed(watch) == []
        jump(seconds)
        assert closed(watch) == []
        eventually(lambda: watching.ask(renewed))
        assert closed(watch) == []
    assert ended(run).message == long_run.ALL_CREATED
    assert attempts(run) == ["completed"]


def test_who_presses_after_a_jump_of_the_clock_takes_no_run_from_a_living_worker(
    crew: Crew, desk: Desk
) -> None:
    crew("--without-maintenance", SLOW_PAGE="0.8")
    eventually(lambda: watching.postgres_is_up_for(lease.LEASE_SECONDS))
    run = long_run.start(desk)
    for seconds in (120, -120):
        jump(seconds)
        with pytest.raises(SyncError, match="started this"):
            desk.start("locations")
    assert ended(run).message == long_run.ALL_CREATED
    assert attempts(run) == ["completed"]


def closed(watch: recovery.Watch) -> list[int]:
    """Close the runs of the dead, as maintenance does; return them."""
    with db.everywhere() as connection:
        return recovery.close_dead(connection, grace=0, watch=watch)


def test_a_clock_set_back_starts_no_second_cooldown(
    desk: Desk, tamper: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write("admins", ADMINS)
    run = desk.work(desk.start("admins"))
    patient = replace(settings.current(), cooldown=30)
    monkeypatch.setattr(settings, "current", lambda: patient)
    with pytest.raises(SyncError, match="a moment ago"):
        desk.start("admins")
    tamper("update runs set finished_at = finished_at + interval '1 hour' where id = %s", run.id)
    assert desk.work(desk.start("admins")).status == "completed"


def test_a_run_that_nobody_took_is_over_its_limit_for_whoever_starts_the_next(
    own_redis: None, desk: Desk, database: psycopg.Connection
) -> None:
    assert own_redis is None
    desk.write("admins", ADMINS)
    run = desk.start("admins")
    bends.let_it_wait(database, run)
    second = desk.start("admins")
    assert read(run).status == "timed_out"
    assert desk.work(second).status == "completed"


def test_a_lease_that_a_jump_made_old_counts_only_where_it_is_not_renewed(
    own_redis: None, desk: Desk
) -> None:
    assert own_redis is None
    desk.write("admins", ADMINS)
    run = desk.start("admins")
    with db.everywhere() as connection:
        assert lease.claim(connection, run.id, "one that lives")
    watch = recovery.Watch()
    for seconds in (120, -240, 7200, -86_400, 86_400):
        jump(seconds)
        assert closed(watch) == []
    eventually(lambda: closed(watch) == [run.id], 10)
