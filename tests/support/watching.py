"""What a test sees of runs from outside: their state, their attempts, their rows."""

import time
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from sync_core import runs
from sync_core.foundation import db, redis_clients
from sync_core.runs import Run, progress


def ask(query: str, **facts: object) -> list[tuple[Any, ...]]:
    """Ask Postgres, over a connection that survives its restarts."""
    with db.everywhere() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query), facts)]


def postgres_answers() -> bool:
    """Return whether Postgres takes questions."""
    with suppress(sa.exc.DBAPIError):
        return ask("select true") == [(True,)]
    return False


def read(run: Run) -> Run:
    """Read a run anew."""
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id)


def ended(run: Run, seconds: float = 40) -> Run:
    """Wait for the end of a run."""
    until = time.monotonic() + seconds
    while run.active:
        assert time.monotonic() < until, f"run {run.id} is {run.status} after {seconds} s"
        time.sleep(0.05)
        with suppress(sa.exc.DBAPIError):  # Postgres may be away
            run = read(run)
    return run


def staged(run: Run) -> int:
    """Count the rows that a run has read so far."""
    ((count,),) = ask(
        "select coalesce(sum(staged), 0) from checkpoints where run_id = :r", r=run.id
    )
    return int(count)


def phase(run: Run) -> str:
    """Return what a run does now."""
    found = progress.read(redis_clients.client(), [run.id])[0].get(run.id)
    return found.phase if found else ""


def attempts(run: Run) -> list[str | None]:
    """Return how each attempt at a run ended."""
    rows = ask("select ended from attempts where run_id = :r order by attempt", r=run.id)
    return [how for (how,) in rows]


def postgres_is_up_for(seconds: float) -> bool:
    """Return whether all who live have had the time to renew their leases."""
    up = "select clock_timestamp() - pg_postmaster_start_time() > make_interval(secs => :s)"
    return ask(up, s=seconds) == [(True,)]


def let_time_pass(seconds: float) -> None:
    """Let the leases of workers that do not renew them end so much earlier."""
    ask(
        "update leases set lease_until = lease_until - make_interval(secs => :s) returning 1",
        s=seconds,
    )
