"""The worker as a process of its own: a forked work-horse that judges with Polars."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from rq import Queue
from rq.job import Job
from rq.timeouts import BaseDeathPenalty, HorseMonitorTimeoutException

from sync_core import runs
from sync_core.execution.run_jobs import QUEUE
from sync_core.execution.worker import SyncWorker
from sync_core.foundation import db, redis_clients, settings
from sync_core.foundation.settings import ROOT
from sync_core.runs import Run, progress
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually
from tests.support.watching import ask, ended, staged

pytestmark = pytest.mark.alone

Waiting = Callable[[Run, float], Run]


@pytest.fixture
def worker(own_redis: None) -> Iterator[subprocess.Popen[bytes]]:
    assert own_redis is None
    process = subprocess.Popen([sys.executable, ROOT / "worker.py"], cwd=ROOT)
    yield process
    process.terminate()
    assert process.wait(20) == 0


def test_a_worker_takes_runs_off_the_queue_one_after_the_other(
    worker: subprocess.Popen[bytes], desk: Desk, database: psycopg.Connection
) -> None:
    assert worker.poll() is None
    desk.write("locations", [HEADER, *(row(f"L{n}") for n in range(3000))])
    first = ended(desk.start("locations"))
    assert first.message == "Processed 3,000 locations: 3,000 created, 0 updated."
    second = ended(desk.start("locations"))
    assert second.message == "Processed 3,000 locations: 0 created, 0 updated, 3,000 unchanged."
    news = progress.read(redis_clients.client(), [second.id])[0][second.id]
    assert (news.phase, news.percent) == ("saving", 100)
    assert database.execute("select count(*) from leases").fetchone() == (0,)


def test_a_run_of_a_killed_horse_goes_on_by_itself(
    worker: subprocess.Popen[bytes], desk: Desk, database: psycopg.Connection
) -> None:
    desk.write("locations", [HEADER, *(row(f"L{n}") for n in range(60_000))])
    run = desk.start("locations")
    os.kill(_horse(worker), signal.SIGKILL)
    run = ended(run)
    assert run.message == "Processed 60,000 locations: 60,000 created, 0 updated."
    assert run.attempt == 2
    how = database.execute("select ended from attempts where run_id = %s order by 1", [run.id])
    assert [text for (text,) in how][1].startswith("its work-horse died")


def _horse(worker: subprocess.Popen[bytes]) -> int:
    """Wait until the worker has a work-horse that works on a run, and return its process id."""

    def working() -> str | None:
        children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        held = [name.rpartition(":")[2] for (name,) in ask("select worker from leases")]
        return next((child for child in held if child in children), None)

    return int(eventually(working) or 0)


def test_a_work_horse_knows_the_key_of_its_source_and_no_others(
    own_redis: None, desk: Desk
) -> None:
    """Nor does the kernel tell of others that it had."""
    assert own_redis is None
    ours = settings.cliniko_variable(desk.organization.slug)
    others = {
        ours: "key-of-ours-" + uuid.uuid4().hex,
        settings.cliniko_variable("other"): "key-of-others-" + uuid.uuid4().hex,
        settings.channel_variable("SYNCDESK_WEBHOOK_KEY", desk.organization.slug, "ops"): "w" * 40,
        "SYNCDESK_MAIL_PASSWORD": "of-the-mails-" + uuid.uuid4().hex,
        "SYNCDESK_MONITOR_TOKEN": "m" * 40,
        "OF_ANOTHER_PROGRAM": "s" * 40,
    }
    needed = {"CLINIKO_CONTACT": "it@example.org", "SYNCDESK_COOLDOWN": "0.25"}
    environment = {**os.environ, **others, **needed}
    worker = subprocess.Popen([sys.executable, ROOT / "worker.py"], cwd=ROOT, env=environment)
    try:
        desk.write("locations", [HEADER, *(row(f"L{n}") for n in range(100_000))])
        run = desk.start("locations")
        eventually(lambda: staged(run) > 0)
        told = Path(f"/proc/{_horse(worker)}/environ").read_text()
        assert [name for name, value in others.items() if name in told or value in told] == []
        assert ended(run).message.startswith("Processed 100,000 locations: 100,000 created")
    finally:
        worker.terminate()
        assert worker.wait(20) == 0


def test_a_stopped_worker_gives_its_run_back(
    worker: subprocess.Popen[bytes], desk: Desk, database: psycopg.Connection
) -> None:
    desk.write("locations", [HEADER, *(row(f"L{n}") for n in range(60_000))])
    run = desk.start("locations")
    _horse(worker)
    worker.terminate()
    assert worker.wait(10) == 0
    with db.everywhere() as connection:
        run = runs.get(connection, run.organization_id, run.id)
    assert run.status in {"queued", "completed"}
    crashes = database.execute("select crashes from runs where id = %s", [run.id]).fetchone()
    assert crashes == (0,)
    again = subprocess.Popen([sys.executable, ROOT / "worker.py"], cwd=ROOT)
    try:
        assert ended(run).message.startswith("Processed 60,000 locations: 60,000 created")
    finally:
        again.terminate()
        again.wait(20)


class Napper(SyncWorker):
    """A worker whose work-horses do nothing, for a moment."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        assert queue
        time.sleep(job.args[0])
        os._exit(0)


def test_how_a_work_horse_ended_is_known_whatever_moment_it_ends_at(own_redis: None) -> None:
    assert own_redis is None
    before = {number: signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGALRM)}
    worker = Napper(None)
    worker.job_monitoring_interval = 0.001
    queue = Queue(QUEUE, connection=worker.connection)
    try:
        for number in range(100):
            job = Job.create("nothing", [number / 50_000], connection=worker.connection)
            worker.fork_work_horse(job, queue)
            assert _end(worker) == 0
    finally:
        for of, handler in before.items():
            signal.signal(of, handler)


def _end(worker: SyncWorker) -> int | None:
    """Wait for a work-horse as RQ does, without an alarm that ends the wait."""
    while worker.horse_pid:
        with suppress(HorseMonitorTimeoutException), _limit(worker):
            worker.wait_for_horse()
            assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    return worker.wait_for_horse()[1]


def _limit(worker: SyncWorker) -> BaseDeathPenalty:
    return worker.death_penalty_class(1, HorseMonitorTimeoutException)  # type: ignore[no-untyped-call]
