"""The beat: closes dead runs, pushes lost ones again, drops what ended runs left behind.

It may run twice at once: every step locks what it touches, or is safe to repeat.
"""

import logging
import os
import signal
import threading
from contextlib import suppress

from psycopg.errors import LockNotAvailable
from redis import RedisError

from sync_core import db, jobs, leases, runs, settings, staging, tables

PAUSE = 1.0  # seconds

log = logging.getLogger("syncdesk.beat")


def tick() -> None:
    """Do everything once. Raises where Postgres does not answer."""
    _close()
    _push_lost()
    _tidy()


def _close() -> None:
    """End or interrupt the runs that nobody else ends, and let interrupted ones go on."""
    with db.begin() as connection:
        for run_id in leases.enforce_cancels(connection):
            log.warning("run %s was cancelled: its worker did not obey", run_id)
        for run_id in leases.close_overdue(connection, settings.current().time_limits):
            log.warning("run %s was timed out", run_id)
        for run_id in leases.close_dead(connection):
            log.warning("run %s was interrupted: its worker went silent", run_id)
    jobs.resume()


def _push_lost() -> None:
    """Push the queued runs again of which Redis knows nothing."""
    with db.begin() as connection:
        waiting = runs.to_push(connection)
    if not waiting:
        return
    try:
        there = jobs.pushed()
    except RedisError:
        return
    for run_id, resource in waiting:
        if run_id not in there and not jobs.push(run_id, resource):
            return


def _tidy() -> None:
    with suppress(LockNotAvailable), db.begin() as connection:  # somebody reads them: next time
        connection.exec_driver_sql("set local lock_timeout = '1s'")
        staging.drop_ended(connection)
        tables.make_partitions(connection)


def run(stop: threading.Event, parent: int | None = None) -> None:
    """Tick once a second until told to stop, or until the parent (its process id) has died."""
    while not stop.wait(PAUSE) and parent in {None, os.getppid()}:
        try:
            tick()
        except Exception as error:
            if not db.is_away(error):
                log.exception("the beat goes on")
            else:
                log.warning("no beat, Postgres does not answer: %s", type(error).__name__)


def main() -> None:
    """Run the beat as a process of its own."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stop.set())
    run(stop)


if __name__ == "__main__":
    main()
