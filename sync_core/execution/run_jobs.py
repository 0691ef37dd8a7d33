"""What may wait in RQ's queue: the number of a run to work on, and nothing else.

Whoever can write into Redis could else have a worker call any function. So jobs are JSON, never
pickles, and one that is not exactly as `push` writes it is refused before RQ reads anything of it:
another function, other arguments, callbacks, webhooks, dependencies, repetitions. A refused job is
deleted; if it stood for a run, maintenance pushes that run again.
"""

import json
import logging
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from sync_core.runs import run_number

QUEUE = "sync"
PREFIX = "run-"  # of a job's name
WORK = "sync_core.execution.attempt.work"  # by name: the pages need nothing of a worker's
WORDS_OF_RQ = frozenset(  # about a job, which make it do nothing
    "created_at enqueued_at started_at ended_at last_heartbeat worker_name origin description"
    " data status timeout result_ttl failure_ttl".split()
)
LONGEST = 1_000  # bytes of what a job says about itself
RESULT_SECONDS = 60  # that RQ's word of a job's end is kept
FAILURE_SECONDS = 3600

log = logging.getLogger("syncdesk.worker")


def name(run_id: int) -> str:
    """Name the job of a run."""
    return f"{PREFIX}{run_id}"


def run_id(job: str | bytes) -> int | None:
    """Return the run of which a job is, by its name; None where it is of none."""
    named = _text(job)
    return run_number.read(named.removeprefix(PREFIX)) if named.startswith(PREFIX) else None


class RunJob(Job):
    """The work on one run."""

    def restore(self, raw_data: Mapping[Any, Any]) -> None:
        """Read what Redis holds of the job. Raises NoSuchJobError where it is no work on a run."""
        told = {_text(part): value for part, value in raw_data.items() if value}
        if wrong := next(_wrong(self.id, told), None):
            self.connection.delete(self.key)
            log.warning("refused a job from Redis: %.60r %s", self.id, wrong)
            raise NoSuchJobError(wrong)
        super().restore({part.encode(): value for part, value in told.items()})
        self.result_ttl, self.failure_ttl = RESULT_SECONDS, FAILURE_SECONDS


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _wrong(job: str, told: Mapping[str, bytes]) -> Iterator[str]:
    """Say what is wrong with a job, without a word of what it holds."""
    number = run_id(job)
    if number is None:
        yield "is no run"
    if strange := sorted(told.keys() - WORDS_OF_RQ):
        yield f"has what no job of ours has: {', '.join(strange):.200}"
    if any(len(value) > LONGEST for value in told.values()):
        yield "is too long"
    if _data(told.get("data", b"")) != json.dumps([WORK, None, [number], {}]):
        yield "asks for something else than the work on this run"
    if told.get("status", b"").decode("ascii", "replace") not in set(JobStatus):
        yield "has a status that is none"
    if not re.fullmatch(rb"[1-9][0-9]{0,8}", told.get("timeout", b"")):
        yield "has no time limit"


def _data(packed: bytes) -> str | None:
    """Return what a job calls, as JSON; None where it cannot be read, or is longer than ours."""
    try:
        return json.dumps(json.loads(zlib.decompressobj().decompress(packed, LONGEST)))
    except (zlib.error, ValueError, RecursionError):
        return None


class RunQueue(Queue):
    """The queue of runs, on a server that may be reached by others."""

    job_class = RunJob

    def __init__(self, name: str = QUEUE, *args: Any, **options: Any) -> None:  # noqa: ANN401 - RQ's signature
        super().__init__(name, *args, **{**options, "serializer": JSONSerializer})

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:  # noqa: ANN401 - RQ's signature
        """Take the next job off the queue; what no run is named by is dropped."""
        while taken := super().lmove(connection, queue_key, timeout):
            job = taken[1]
            if run_id(job):
                return taken
            log.warning("refused a job from Redis: %.60r is no run", job)
            connection.lrem(IntermediateQueue(queue_key, connection).key, 0, job)
        return None


def queue(connection: Redis) -> RunQueue:
    """Return the queue on this server."""
    return RunQueue(connection=connection)
