"""Hands runs over to a worker by RQ, which is never asked how a run ended."""

import logging
from contextlib import suppress
from datetime import UTC, datetime

from redis import RedisError
from rq import Queue, Worker

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.foundation import db, redis_clients, settings
from sync_core.runs import lease, recovery

QUEUE = "sync"
WORK = "sync_core.execution.attempt.work"  # by name: the pages need nothing of a worker's
RQ_EXTRA_SECONDS = 30  # by which RQ's own time limit stands above ours
DEAD_AFTER_SECONDS = 20  # a worker that said nothing for so long counts as dead

log = logging.getLogger(__name__)


def push(run_id: int, resource: str) -> bool:
    """Hand a queued run to RQ; returns whether Redis took it."""
    try:
        Queue(QUEUE, connection=redis_clients.pushing_client()).enqueue(
            WORK,
            run_id,
            job_id=f"run-{run_id}",
            job_timeout=int(time_limit(run_id, resource) + RQ_EXTRA_SECONDS),
            result_ttl=60,
            failure_ttl=3600,
        )
    except RedisError as error:
        log.warning("run %s waits for the queue: %s", run_id, type(error).__name__)
        return False
    with suppress(*db.ERRORS), db.begin() as connection:  # else it is pushed once more
        runs.mark_pushed(connection, run_id)
    return True


def pushed() -> set[int]:
    """List the runs that wait in RQ's queue. Raises RedisError."""
    jobs = Queue(QUEUE, connection=redis_clients.pushing_client()).get_job_ids()
    return {int(job.removeprefix("run-")) for job in jobs if job.startswith("run-")}


def workers() -> int:
    """Count the workers that are alive. Raises RedisError."""
    now = datetime.now(UTC)
    found = Worker.all(connection=redis_clients.pushing_client())
    seen = (worker.last_heartbeat for worker in found)
    return sum(
        (now - at.replace(tzinfo=UTC)).total_seconds() < DEAD_AFTER_SECONDS for at in seen if at
    )


def time_limit(run_id: int, resource: str) -> float:
    """Return the seconds that a run may take; the usual ones while Postgres does not answer."""
    usual = resources.time_limits(settings.current().time_limits)
    with suppress(*db.ERRORS), db.begin() as connection:
        return lease.limit(connection, usual, run_id)
    return usual.of(resource)


def resume() -> None:
    """Send every interrupted run back to the queue."""
    with db.begin() as connection:
        back = recovery.resume(connection)
    for run_id, resource in back:
        if not push(run_id, resource):
            return  # maintenance pushes them once Redis is back


def work_horse_died(worker: str, how: str) -> None:
    """Close the run of a work-horse that was killed, and send it back to the queue."""
    with db.begin() as connection:
        recovery.close_killed(connection, worker, how)
    resume()
