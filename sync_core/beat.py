"""The beat: closes dead runs, pushes lost ones again, drops what ended runs left behind.

It may run twice at once: every step locks what it touches, or is safe to repeat.
"""

import argparse
import logging
import os
import signal
import threading

import sqlalchemy as sa
from redis import RedisError

from sync_core import db, jobs, leases, runs, settings, staging, tables

PAUSE = 1.0  # seconds

log = logging.getLogger("syncdesk.beat")


def tick() -> None:
    """Do everything once. Raises where Postgres does not answer."""
    limit = settings.current().time_limit
    with db.begin() as connection:
        leases.enforce_cancels(connection)
        leases.close_overdue(connection, {}, limit)
        for run_id in leases.close_dead(connection):
            log.warning("run %s was interrupted: its worker went silent", run_id)
        leases.resume(connection)
    _push_lost()
    with db.begin() as connection:
        staging.drop_ended(connection)
        tables.make_partitions(connection)


def _push_lost() -> None:
    with db.begin() as connection:
        waiting = runs.to_push(connection)
    if not waiting:
        return
    try:
        there = jobs.pushed()
    except RedisError:
        return
    for run_id in waiting:
        if run_id not in there:
            jobs.push(run_id)


def run(stop: threading.Event, *, with_parent: bool = False) -> None:
    """Tick once a second until told to stop, or with the parent."""
    parent = os.getppid()
    while not stop.wait(PAUSE):
        if with_parent and os.getppid() != parent:
            return
        try:
            tick()
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            log.warning("no beat, Postgres does not answer: %s", type(error).__name__)


def main() -> None:
    """Run the beat as a process of its own."""
    parser = argparse.ArgumentParser(description="Close dead runs, push lost ones again.")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent ends")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    run(stop, with_parent=options.with_parent)


if __name__ == "__main__":
    main()
