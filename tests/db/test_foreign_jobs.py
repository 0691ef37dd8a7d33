"""What others write into Redis makes no worker do anything but work on runs."""

import json
import os
import pickle
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Callback, Queue, Repeat, Retry, Webhook, Worker
from rq.command import send_kill_horse_command, send_shutdown_command, send_stop_job_command
from rq.job import Job
from rq.suspension import suspend

from sync_core import runs
from sync_core.execution import queue, run_jobs
from sync_core.execution.run_jobs import RunJob
from sync_core.foundation import db, redis_clients
from sync_core.runs import Run
from sync_core.runs.lease import Queued
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.processes import Crew
from tests.support.waiting import eventually
from tests.support.watching import ended

ATTACK = "os.system"
OURS: dict[str, Any] = {"func": run_jobs.WORK, "args": (7,), "timeout": 60}


class Shell:
    """A pickle that runs a command where it is read."""

    def __init__(self, command: str) -> None:
        self._command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self._command,)


def foreign(redis: Redis, command: str) -> Mapping[str, Callable[[str], object]]:
    """Return ways to write a job under a name that would run a command, or change what is done."""
    rq = Queue(run_jobs.QUEUE, connection=redis, serializer="json")
    pickled = Queue(run_jobs.QUEUE, connection=redis)
    call = Callback(ATTACK, timeout=5)

    def changed(**parts: object) -> Callable[[str], object]:
        def write(name: str) -> None:
            rq.enqueue_call(**OURS, job_id=name)
            redis.hset(f"rq:job:{name}", mapping=parts)  # type: ignore[arg-type]

        return write

    def raw(data: bytes) -> Callable[[str], object]:
        return changed(data=data)

    return {
        "a shell command": lambda name: rq.enqueue(ATTACK, command, job_id=name),
        "a pickled call": lambda name: pickled.enqueue(os.system, command, job_id=name),
        "a pickle that acts where it is read": raw(zlib.compress(pickle.dumps(Shell(command)))),
        "a pickle that is not packed": raw(pickle.dumps(Shell(command))),
        "a called-back success": lambda name: rq.enqueue_call(**OURS, job_id=name, on_success=call),
        "a called-back failure": lambda name: rq.enqueue_call(**OURS, job_id=name, on_failure=call),
        "a called-back stop": lambda name: rq.enqueue_call(**OURS, job_id=name, on_stopped=call),
        "a webhook": changed(
            webhooks=json.dumps([Webhook("http://127.0.0.1:1/", "finished").to_dict()])
        ),
        "a pickled meta": changed(meta=pickle.dumps(Shell(command))),
        "a pickled result": changed(result=pickle.dumps(Shell(command))),
        "a repetition": lambda name: rq.enqueue_call(
            **OURS, job_id=name, repeat=Repeat(times=9, interval=1)
        ),
        "a retry": lambda name: rq.enqueue_call(**OURS, job_id=name, retry=Retry(max=9)),
        "a dependency": changed(dependency_ids=json.dumps(["run-1"])),
        "a group": changed(group_id="g"),
        "a rate": changed(rate_limit_key="k", rate_limit_concurrency="1"),
        "another number": raw(zlib.compress(json.dumps([run_jobs.WORK, None, [8], {}]).encode())),
        "two numbers": raw(zlib.compress(json.dumps([run_jobs.WORK, None, [7, 8], {}]).encode())),
        "a number as text": raw(
            zlib.compress(json.dumps([run_jobs.WORK, None, ["7"], {}]).encode())
        ),
        "a fraction": raw(zlib.compress(json.dumps([run_jobs.WORK, None, [7.0], {}]).encode())),
        "an instance": raw(zlib.compress(json.dumps(["attempt.work", "os", [7], {}]).encode())),
        "gigabytes when unpacked": raw(zlib.compress(b" " * 10_000_000)),
        "lists without end": raw(zlib.compress(b"[" * 990)),
        "no end": changed(timeout="-1"),
        "no time limit": changed(timeout="soon"),
        "a state that is none": changed(status="x"),
    }


NAMES = list(foreign(Redis(), ""))


@pytest.mark.parametrize("kind", NAMES)
def test_a_job_that_is_not_as_ours_are_is_deleted_unread(
    kind: str, own_redis: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert own_redis is None
    redis, canary = redis_clients.pushing_client(), tmp_path / "canary"
    foreign(redis, f"touch {canary}")[kind]("run-7")
    assert take(redis) is None
    assert "refused a job from Redis: 'run-7'" in caplog.text
    assert not redis.exists("rq:job:run-7")
    assert not canary.exists()


def take(redis: Redis) -> Job | None:
    """Take the next job as a worker does; None where there is none."""
    ours = run_jobs.queue(redis)
    found = ours.dequeue_any([ours], None, redis, job_class=RunJob, serializer=ours.serializer)
    return found[0] if found else None


@pytest.mark.parametrize(
    "name", [b"run-0", b"run--7", b"run-\xd9\xa7", b"run-9223372036854775808", b"\xff", b"work\n7"]
)
def test_what_no_run_can_be_named_is_dropped(
    name: bytes, own_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert own_redis is None
    redis = redis_clients.pushing_client()
    redis.rpush(run_jobs.queue(redis).key, name)
    assert queue.pushed() == set()
    assert take(redis) is None
    assert "is no run" in caplog.text
    assert "\n7" not in caplog.messages[0]
    assert redis.llen(f"{run_jobs.queue(redis).key}:intermediate") == 0


def test_a_job_of_ours_is_taken_with_the_times_that_we_keep_jobs(own_redis: None) -> None:
    assert own_redis is None
    redis = redis_clients.pushing_client()
    run_jobs.queue(redis).enqueue(
        run_jobs.WORK, 7, job_id="run-7", job_timeout=60, result_ttl=-1, failure_ttl=-1
    )
    job = take(redis)
    assert job
    assert (job.func_name, job.args, job.timeout) == (run_jobs.WORK, [7], 60)
    assert (job.result_ttl, job.failure_ttl) == (60, 3600)


@pytest.mark.alone
def test_a_worker_among_foreign_jobs_and_commands_works_on_runs_alone(
    crew: Crew, desk: Desk, workers_log: Path, tmp_path: Path
) -> None:
    redis, canary = redis_clients.pushing_client(), tmp_path / "canary"
    for number, write in enumerate(foreign(redis, f"touch {canary}").values(), 7):
        write(f"run-{number}")
    redis.zadd("rq:finished:sync", {b"\xff": 0})  # no name of RQ's
    redis.zadd("rq:wip:sync", {b"\xff": 0})
    Queue("other", connection=redis).enqueue(ATTACK, f"touch {canary}")
    suspend(redis)
    worker = crew()
    (there,) = Worker.all_keys(redis)
    name = there.removeprefix("rq:worker:")
    run = start(desk)
    send_kill_horse_command(redis, name)
    send_shutdown_command(redis, name)
    with pytest.raises(Exception, match="not"):
        send_stop_job_command(redis, f"run-{run.id}")
    assert ended(run).message == "Processed 1 location: 1 created, 0 updated."
    assert eventually(lambda: workers_log.read_text().count("refused a job")) == len(NAMES)
    assert worker.is_alive()
    assert not canary.exists()
    assert ("this worker runs as root" in workers_log.read_text()) == (os.geteuid() == 0)


def start(desk: Desk) -> Run:
    desk.write("locations", [HEADER, row("L1")])
    desk.set_source("locations")
    with db.everywhere() as connection:
        run = runs.start(connection, desk.organization.id, "locations", ANA, trigger="test")
    assert queue.push(Queued(run.id, 60))
    return run
