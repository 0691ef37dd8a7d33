"""What is promised while Redis or Postgres answer, but with errors."""

from pathlib import Path

import pytest

from tests.support import bends, long_run, processes
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
