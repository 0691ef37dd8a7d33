"""Hands runs over to a worker by RQ, which is never asked how a run ended."""

import logging
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile

from redis import RedisError
from rq import Queue, Worker
from rq.utils import utcparse

from sync_core import runs
from sync_core.foundation import db, redis_clients
from sync_core.runs import batches, lease, recovery, turns
from sync_core.runs.lease import Queued

QUEUE = "sync"
WORK = "sync_core.execution.attempt.work"  # by name: the pages need nothing of a worker's
RQ_EXTRA_SECONDS = 30  # by which RQ's own time limit stands above ours
DEAD_AFTER_SECONDS = 20  # a worker that said nothing for so long counts as dead

IN_ORDER = """
local there = {}
for _, job in ipairs(redis.call('lrange', KEYS[1], 0, -1)) do there[job] = true end
local order = {}
for _, job in ipairs(ARGV) do
    if there[job] then order[#order + 1] = job; there[job] = nil end
end
for _, job in ipairs(redis.call('lrange', KEYS[1], 0, -1)) do
    if there[job] then order[#order + 1] = job; there[job] = nil end
end
redis.call('del', KEYS[1])
for _, job in ipairs(order) do redis.call('rpush', KEYS[1], job) end
"""  # at once, so that none is lost; jobs that are not known keep their order, at the end

log = logging.getLogger(__name__)


def push(*waiting: Queued) -> bool:
    """Hand queued runs to RQ, in this order; returns whether Redis took all of them.

    Maintenance pushes those again that it did not take, or has lost.
    """
    taken = list(takewhile(_push, waiting))
    if taken:
        put_in_order(*taken)
    return len(taken) == len(waiting)


def _push(run: Queued) -> bool:
    try:
        Queue(QUEUE, connection=redis_clients.pushing_client()).enqueue(
            WORK,
            run.id,
            job_id=f"run-{run.id}",
            job_timeout=int(run.limit + RQ_EXTRA_SECONDS),
            result_ttl=60,
            failure_ttl=3600,
        )
    except RedisError as error:
        log.warning("run %s waits for the queue: %s", run.id, type(error).__name__)
        return False
    return True


def put_in_order(*taken: Queued) -> None:
    """Let organizations take turns in what waits, and note what the queue has taken.

    Where a server does not answer the order stays, and what was taken is pushed once more.
    """
    with suppress(RedisError, *db.ERRORS):
        with db.begin() as connection:
            for run in taken:
                runs.mark_pushed(connection, run.id)
            jobs = [f"run-{run_id}" for run_id in turns.in_order(connection)]
        if len(jobs) > 1:  # else Redis is not asked, for it may be away
            redis = redis_clients.pushing_client()
            redis.eval(IN_ORDER, 1, Queue(QUEUE, connection=redis).key, *jobs)


def pushed() -> set[int]:
    """List the runs that wait in RQ's queue. Raises RedisError."""
    jobs = Queue(QUEUE, connection=redis_clients.pushing_client()).get_job_ids()
    return {int(job.removeprefix("run-")) for job in jobs if job.startswith("run-")}


def length() -> int:
    """Count the runs that wait in RQ's queue. Raises RedisError."""
    return int(Queue(QUEUE, connection=redis_clients.pushing_client()).count)


def workers(within: float = DEAD_AFTER_SECONDS) -> int:
    """Count the workers that were seen within so many seconds. Raises RedisError."""
    now, redis = datetime.now(UTC), redis_clients.pushing_client()
    with redis.pipeline(transaction=False) as pipeline:
        for key in Worker.all_keys(redis):  # `Worker.all` would set long waits for this client
            pipeline.hget(key, "last_heartbeat")
        seen = [utcparse(at.decode()) for at in pipeline.execute() if at]
    return sum((now - at.replace(tzinfo=UTC)).total_seconds() < within for at in seen)


def resume() -> None:
    """Send every interrupted run back to the queue."""
    with db.begin() as connection:
        waiting = recovery.resume(connection)
    push(*waiting)


def go_on_with_all() -> None:
    """Start the runs that come next where everything is synced."""
    with db.begin() as connection:
        started = batches.go_on(connection)
        waiting = [Queued(run.id, lease.limit(connection, run.id)) for run in started]
    push(*waiting)


def work_horse_died(worker: str, how: str) -> None:
    """Close the run of a work-horse that was killed, and send it back to the queue."""
    with db.begin() as connection:
        recovery.close_killed(connection, worker, how)
    resume()
