"""A worker that Redis knows of, as one that has just started, and that takes no run."""

from collections.abc import Iterator
from contextlib import contextmanager

from rq import Worker

from sync_core.execution import run_jobs
from sync_core.execution.queue import SCHEMA
from sync_core.foundation import redis_clients


@contextmanager
def listed(schema: str | None = None) -> Iterator[Worker]:
    """Let it be there for a while, and know a schema."""
    there = Worker([run_jobs.QUEUE], connection=redis_clients.queue_client())
    there.register_birth()  # type: ignore[no-untyped-call] # RQ
    if schema:
        redis_clients.client().hset(there.key, SCHEMA, schema)
    yield there
    there.register_death()  # type: ignore[no-untyped-call] # RQ
