"""Maintenance: closes dead runs, pushes lost ones again, starts what is scheduled, and tidies up.

It may run twice at once: every step locks what it touches, or is safe to repeat.
"""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

from psycopg.errors import LockNotAvailable
from redis import RedisError

from sync_core import runs
from sync_core.audit import hash_chain
from sync_core.audit.heads import HeadsFile
from sync_core.engine import staging
from sync_core.execution import queue, scheduler
from sync_core.execution.heartbeat import StopRequest
from sync_core.execution.redis_outage import OUTAGE
from sync_core.foundation import db, settings, tables
from sync_core.notifications import courier, digest, notices, outbox, telling
from sync_core.organizations import allowed_sources
from sync_core.runs import once, overtaken, recovery, uploads

TICK_SECONDS = 1.0
PARTING_SECONDS = 3.0  # for a message in hand
NIGHTLY_SECONDS = 60.0  # between two looks whether the nightly check is due
DEPLOY = "Stop it and start the version that was deployed, or run 'syncdesk migrate'."

log = logging.getLogger("syncdesk.maintenance")


def clock() -> datetime:
    """Return what time it is, for all that comes at its time."""
    return datetime.now(UTC)


def tick(watch: recovery.Watch | None = None) -> None:
    """Do everything once; of leases, what the `watch` has seen. Raises where Postgres is away."""
    now = clock()
    _close(watch)
    _push_lost()
    queue.look_after_outage()
    queue.go_on_with_all()
    queue.put_in_order()
    _keep_schedules(now)
    _tell_people(now)
    _tidy()


def _close(watch: recovery.Watch | None) -> None:
    """End or interrupt the runs that nobody else ends, and let interrupted ones go on."""
    with db.everywhere() as connection:
        for run_id in recovery.enforce_cancels(connection):
            log.warning("run %s was cancelled: its worker did not obey", run_id)
        for run_id in recovery.close_overdue(connection):
            log.warning("run %s was timed out", run_id)
        for run_id in recovery.expire_plans(connection):
            log.warning("run %s has expired: nobody decided on its plan", run_id)
        for run_id in overtaken.end_plans(connection):
            log.info("run %s has expired: another run got ahead of its plan", run_id)
        for run_id in recovery.close_dead(connection, watch=watch):
            log.warning("run %s was interrupted: its worker went silent", run_id)
    queue.resume()


def _push_lost() -> None:
    """Push the queued runs again of which Redis knows nothing."""
    with db.everywhere() as connection:
        waiting = runs.to_push(connection)
    if not waiting:
        return
    try:
        there = queue.pushed()
    except RedisError as error:
        OUTAGE.goes_on(error)
        return
    queue.push(*(run for run in waiting if run.id not in there))


def _tell_people(now: datetime) -> None:
    """Tell what happened since, which promises of freshness were broken, and write digests."""
    with db.everywhere() as connection:
        telling.tell(connection, now)
        digest.make_due(connection, now)


def _keep_schedules(now: datetime) -> None:
    """Start what is scheduled; what a person must mend first is not started again and again."""
    scheduler.pause_what_fails(now)
    for run in scheduler.fire(now):
        log.info("run %s was started by its schedule", run.id)


def _tidy() -> None:
    with (
        suppress(LockNotAvailable),
        db.everywhere() as connection,
    ):  # somebody reads them: next time
        connection.exec_driver_sql("set local lock_timeout = '1s'")
        staging.drop_ended(connection)
        uploads.drop_ended(connection)
        once.drop_old(connection)
        notices.drop_old(connection, datetime.now(UTC))
        outbox.drop_old(connection, datetime.now(UTC))
        tables.make_partitions(connection)


class Nightly:
    """What is due by night, in a thread: it may take minutes, a tick may not.

    Old values are dropped, and the audit's chain is checked.
    """

    def __init__(self) -> None:
        self._thread = threading.Thread()
        self._next = 0.0

    def keep(self) -> None:
        """Look whether it is due, now and then."""
        if self._thread.is_alive() or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + NIGHTLY_SECONDS
        self._thread = threading.Thread(target=self._check, name="nightly", daemon=True)
        self._thread.start()

    def _check(self) -> None:
        try:
            scheduler.drop_old(clock())
            for sentence in hash_chain.verify_by_night():
                log.error("the audit's chain is broken: %s", sentence)
        except Exception as error:  # noqa: BLE001 - it is due again in a minute
            _log(error)


class Courier:
    """Delivers messages, in a thread: a server may take its time, a tick may not."""

    def __init__(self) -> None:
        self._thread = threading.Thread()

    def keep(self) -> None:
        """Deliver what is due, unless that is still being done."""
        if not self._thread.is_alive():
            self._thread = threading.Thread(target=self._deliver, name="courier", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait a little for what is being delivered, so that it is not delivered again."""
        if self._thread.is_alive():
            self._thread.join(PARTING_SECONDS)

    def _deliver(self) -> None:
        try:
            courier.deliver_due(lambda: datetime.now(UTC))
        except Exception as error:  # noqa: BLE001 - what is due is looked for again in a second
            _log(error)


def run(stop: StopRequest, parent: int | None = None) -> None:
    """Tick once a second until told to stop, or until the parent (its process id) has died.

    It does nothing while the schema is another one than it knows: others have their turn.
    """
    told, warned = "", False  # what went wrong at the last tick: it may go on for long
    nightly, heads, messages, watch = Nightly(), HeadsFile(), Courier(), recovery.Watch()
    while not stop.made and parent in {None, os.getppid()}:
        time.sleep(TICK_SECONDS)
        try:
            _require_our_schema()
            warned = warned or _warn_of_keys()
            nightly.keep()
            tick(watch)
            heads.keep()
            messages.keep()
            told = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the next tick may do better
            if db.is_away(error):
                watch.note_refusal()
            if told != type(error).__name__:
                _log(error)
            told = type(error).__name__
    messages.finish()


def _warn_of_keys() -> bool:
    with db.everywhere() as connection:
        for told in allowed_sources.unused_keys(connection, settings.current()):
            log.warning("%s", told)
    return True


class OtherSchemaError(Exception):
    """The schema of the database is not the one that this program knows."""


def _require_our_schema() -> None:
    with db.everywhere() as connection:
        if not db.is_current(connection):
            raise OtherSchemaError


def _log(error: Exception) -> None:
    if db.is_away(error):
        log.warning("%s: %s", db.as_sync_error(error), type(error).__name__)
    elif isinstance(error, OtherSchemaError):
        log.error("maintenance rests: the schema is not %s. %s", db.newest_revision(), DEPLOY)
    else:
        log.error("maintenance continues after %s", type(error).__name__, exc_info=error)


def main() -> None:
    """Run maintenance as a process of its own."""
    db.be_patient()
    stop = StopRequest()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.make)
    run(stop)


if __name__ == "__main__":
    main()
