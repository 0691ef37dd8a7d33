"""Hands runs over to a worker by RQ, which is never asked how a run ended."""

from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from redis import RedisError
from rq import Worker
from rq.utils import utcparse

from sync_core import runs
from sync_core.execution import run_jobs
from sync_core.execution.redis_outage import OUTAGE
from sync_core.foundation import db, redis_clients
from sync_core.foundation.errors import SyncError
from sync_core.runs import batches, lease, recovery, turns
from sync_core.runs.lease import Queued

RQ_EXTRA_SECONDS = 30  # by which RQ's own time limit stands above ours
DEAD_AFTER_SECONDS = 20  # a worker that said nothing for so long counts as dead
LOOK = "syncdesk:look"  # a key to write, only to see whether that can be done
SCHEMA = "schema"  # under which a worker tells Redis the revision that it knows

NO_WORKER = "No worker is alive: syncs wait until one is started."
OTHER_WORKERS = (
    "The workers are of another version: syncs wait until an administrator starts those that were"
    " deployed with these tables."
)
NO_REDIS = "Redis does not answer: syncs wait until it does."

IN_ORDER = """
local known, there, order = {}, {}, {}
for _, job in ipairs(ARGV) do known[job] = true end
for _, job in ipairs(redis.call('lrange', KEYS[1], 0, -1)) do
    if known[job] then there[job] = true else order[#order + 1] = job end
end
for _, job in ipairs(ARGV) do
    if there[job] then order[#order + 1] = job; there[job] = nil end
end
redis.call('del', KEYS[1])
for _, job in ipairs(order) do redis.call('rpush', KEYS[1], job) end
"""  # at once, so that none is lost; jobs that are not known have come since: they wait for nobody


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
        run_jobs.queue(redis_clients.pushing_client()).enqueue(
            run_jobs.WORK,
            run.id,
            job_id=run_jobs.name(run.id),
            job_timeout=int(run.limit + RQ_EXTRA_SECONDS),
            result_ttl=run_jobs.RESULT_SECONDS,
            failure_ttl=run_jobs.FAILURE_SECONDS,
        )
    except RedisError as error:
        OUTAGE.goes_on(error)  # the run waits in Postgres
        return False
    OUTAGE.works()
    return True


def look_after_outage() -> None:
    """Look whether Redis does its work again, where it did not."""
    if not OUTAGE.lasts:
        return
    try:
        redis_clients.pushing_client().set(LOOK, "", ex=60)
    except RedisError as error:
        OUTAGE.goes_on(error)
    else:
        OUTAGE.works()


def put_in_order(*taken: Queued) -> None:
    """Let organizations take turns in what waits, and note what the queue has taken.

    Where a server does not answer the order stays, and what was taken is pushed once more.
    """
    with suppress(RedisError, *db.ERRORS):
        with db.everywhere() as connection:
            for run in taken:
                runs.mark_pushed(connection, run.id)
            jobs = [run_jobs.name(run_id) for run_id in turns.in_order(connection)]
        if len(jobs) > 1:  # else Redis is not asked, for it may be away
            redis = redis_clients.pushing_client()
            redis.eval(IN_ORDER, 1, run_jobs.queue(redis).key, *jobs)


def pushed() -> set[int]:
    """List the runs that wait in RQ's queue. Raises RedisError."""
    waiting = run_jobs.queue(redis_clients.pushing_client())
    names: list[Any] = waiting.connection.lrange(waiting.key, 0, -1)
    return {number for name in names if (number := run_jobs.run_id(name))}


def length() -> int:
    """Count the runs that wait in RQ's queue. Raises RedisError."""
    return int(run_jobs.queue(redis_clients.pushing_client()).count)


def workers(within: float = DEAD_AFTER_SECONDS, schema: str | None = None) -> int:
    """Count the workers that were seen within so many seconds. Raises RedisError.

    Where a `schema` is given, those that would take no run of it are left out.
    """
    now, redis = datetime.now(UTC), redis_clients.pushing_client()
    with redis.pipeline(transaction=False) as pipeline:
        for key in Worker.all_keys(redis):  # `Worker.all` would set long waits for this client
            pipeline.hmget(key, "last_heartbeat", SCHEMA)
        told = [(utcparse(at.decode()), knows) for at, knows in pipeline.execute() if at]
    return sum(
        (now - at.replace(tzinfo=UTC)).total_seconds() < within
        and (schema is None or knows is None or knows.decode() == schema)  # None: tells nothing
        for at, knows in told
    )


def problem() -> str | None:
    """Return why no worker would take a run, for people; None where one would."""
    with db.everywhere() as connection:
        schema = db.revision(connection)
    try:
        if workers(schema=schema):
            return None
        return OTHER_WORKERS if workers() else NO_WORKER
    except RedisError:
        return NO_REDIS


def resume() -> None:
    """Send every interrupted run back to the queue."""
    with db.everywhere() as connection:
        waiting = recovery.resume(connection)
    push(*waiting)


def go_on_with_all() -> None:
    """Start the runs that come next where everything is synced."""
    with db.everywhere() as connection:
        started = batches.go_on(connection)
        waiting = [Queued(run.id, lease.limit(connection, run.id)) for run in started]
    push(*waiting)


def work_horse_died(worker: str, how: str, error: SyncError | None = None) -> None:
    """Close the run of a work-horse that was killed; without an `error` it goes on elsewhere."""
    with db.everywhere() as connection:
        recovery.close_killed(connection, worker, how, error)
    resume()
