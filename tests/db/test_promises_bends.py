"""What is promised while Redis or Postgres answer with errors, or tell another time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.runs import lease, recovery
from tests.support import bends, long_run, processes, watching
from tests.support.desk import Desk
from tests.support.processes import Crew
from tests.support.waiting import eventually
from tests.support.watching import attempts, ended, read

pytestmark = pytest.mark.alone

ADMINS = [["Email", "Name", "Role", "Team", "Active"], ["a@x.org", "Ada"]]


def test_a_worker_outlives_every_error_of_redis_and_goes_on_when_it_heals(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew()
    desk.write("admins", ADMINS)
    for error in bends.REDIS_ERRORS:
        with bends.redis_answers(error):
            told = len(workers_log.read_text())
            run = desk.start("admins")
            eventually(lambda: "answers with an error" in workers_log.read_text()[told:])  # noqa: B023
            assert worker.is_alive(), error
            assert read(run).status == "queued"
        assert ended(run).status == "completed", error
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
        with db.begin():
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


def test_a_worker_of_another_schema_takes_no_run_and_says_why(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew()
    desk.write("admins", ADMINS)
    with bends.schema("of_tomorrow"):
        run = desk.start("admins")
        eventually(lambda: f"schema is not {db.newest_revision()}" in workers_log.read_text())
        assert read(run).status == "queued"
        assert attempts(run) == []
    assert ended(run).status == "completed"
    assert attempts(run) == ["completed"]
    assert processes.end(worker) == 0


def jump(seconds: float) -> None:
    """Set the clock of Postgres forward, or back: what it had written is so much earlier, or later.

    To a jump, the age of what is written is all that changes.
    """
    watching.let_time_pass(seconds)


def test_a_killed_worker_is_seen_within_15_s_though_the_clock_is_set_back(
    crew: Crew, desk: Desk
) -> None:
    worker = crew("--without-maintenance", SLOW_PAGE="0.2")
    run = long_run.start(desk)
    crew(SLOW_PAGE="0.02")
    worker.kill()
    worker.join()
    jump(-120)
    eventually(lambda: attempts(run)[0] == "its worker went silent", 15)
    assert ended(run).message == long_run.ALL_CREATED


def test_a_living_worker_keeps_its_run_though_the_clock_jumps(crew: Crew, desk: Desk) -> None:
    crew(SLOW_PAGE="0.3")
    run = long_run.start(desk)
    for seconds in (120, -120, 120):
        jump(seconds)
        renewed = "select 1 from leases where lease_until between now() and now() + '13 s'"
        eventually(lambda: watching.ask(renewed))  # noqa: B023
    assert ended(run).message == long_run.ALL_CREATED
    assert attempts(run) == ["completed"]


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
    with db.begin() as connection:
        assert lease.claim(connection, run.id, "one that lives")
    watch = recovery.Watch()

    def closed() -> bool:
        with db.begin() as connection:
            return run.id in recovery.close_dead(connection, grace=0, watch=watch)

    for seconds in (120, -240, 240):
        jump(seconds)
        assert not closed()
    assert eventually(closed, 10)
