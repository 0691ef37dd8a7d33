"""What is promised while Redis or Postgres answer, but with errors."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from sync_core.foundation import db
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


def test_a_postgres_full_of_connections_is_no_crash_and_work_goes_on_when_some_are_free(
    crew: Crew, desk: Desk, workers_log: Path
) -> None:
    worker = crew(SLOW_PAGE="0.1")
    run = long_run.start(desk)
    desk.write("admins", ADMINS)
    second = desk.start("admins")
    with bends.full_of_connections(but_for=db.name()):
        eventually(lambda: "too many connections" in workers_log.read_text())
        db.engine().dispose()
        with pytest.raises(sa.exc.OperationalError) as refused, db.begin():
            pass
        told = db.as_sync_error(refused.value)
        assert told is not None
        assert told.code == "database_crowded"
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
