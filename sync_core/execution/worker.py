"""A worker: takes runs off the queue, one fork for each.

The parent imports everything before its first job, so that a forked work-horse starts at once; it
opens no connection to Postgres, runs no thread and no Polars operation: none survives a fork.
"""

import argparse
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import HorseMonitorTimeoutException, UnixSignalDeathPenalty
from rq.worker_registration import register

from sync_core import sources
from sync_core.catalogue import fields
from sync_core.execution import attempt, maintenance, memory, run_jobs
from sync_core.execution.heartbeat import STOP_REQUEST, StopRequest
from sync_core.execution.queue import SCHEMA, work_horse_died
from sync_core.execution.redis_outage import OUTAGE, quiet_rq
from sync_core.execution.run_jobs import RunJob, RunQueue
from sync_core.foundation import db, processes, redis_clients, settings

OTHER_SCHEMA = 75  # exit code of a work-horse that took no run
OTHER_SCHEMA_SECONDS = 10  # until the next look, for workers of the right version have their turn
CLOSING_SECONDS = 30  # for the process that closes the run of a killed work-horse

log = logging.getLogger("syncdesk.worker")

Ended = tuple[int | None, int | None, Any]  # process id, wait status, usage
Handler = Callable[[int, FrameType | None], None]


class MaintenanceProcess:
    """Maintenance as a fork of the worker, started again where it died."""

    def __init__(self) -> None:
        self._process = 0

    def keep(self) -> None:
        """Start it, unless it is alive."""
        if not self._process or _is_reaped(self._process):
            parent = os.getpid()
            self._process = os.fork()
            if not self._process:
                _run_maintenance(parent)

    def end(self) -> None:
        """End it; whatever it is doing is a transaction."""
        if self._process and not _is_reaped(self._process):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _run_maintenance(parent: int) -> None:
    stop = StopRequest()
    _handle_signals(stop.make)
    try:
        maintenance.run(stop, parent)
    finally:
        os._exit(0)


def _handle_signals(stop: Handler | signal.Handlers) -> None:
    """Let a fork of the worker handle signals in its own way."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _is_reaped(child: int) -> bool:
    """Return whether a child has ended, and forget it."""
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True


class TimeLimit(UnixSignalDeathPenalty):
    """RQ's time limits; but no alarm ends the wait for a work-horse.

    The kernel tells once how a child has ended: an exception at that moment would lose it.
    """

    def setup_death_penalty(self) -> None:
        """Set the alarm."""
        if self._exception is not HorseMonitorTimeoutException:
            super().setup_death_penalty()  # type: ignore[no-untyped-call]


class SyncWorker(Worker):
    """A worker that outlives whatever Redis does, and whose work-horse never outlives it.

    A Redis that is full, read-only or loading answers with errors; it heals as one that was gone.
    """

    death_penalty_class = TimeLimit
    max_connection_wait_time = 2.0  # seconds between two tries to reach Redis

    def __init__(self, maintenance_process: MaintenanceProcess | None) -> None:
        self._maintenance = maintenance_process
        self._horse_ended: Ended = (None, None, None)
        self._ended_for_memory = 0
        self._horse_is_gone = threading.Lock()  # free from its end on
        self._closing: list[int] = []
        super().__init__(
            [run_jobs.queue(redis_clients.queue_client())],
            connection=redis_clients.queue_client(),
            job_class=RunJob,
            queue_class=RunQueue,
            serializer=JSONSerializer,
            worker_ttl=17,
            job_monitoring_interval=3,
            maintenance_interval=5,
        )
        signal.signal(signal.SIGCHLD, self._on_child_ended)

    @property
    def connection_timeout(self) -> int:
        """Return the seconds that Redis may take: little more than the wait for a job."""
        return self.dequeue_timeout + 2

    @property
    def asked_to_stop(self) -> bool:
        """Return whether a signal has asked for it."""
        return self._shutdown_requested_date is not None

    def serialize(self) -> dict[Any, Any]:
        """Return what Redis is told of this worker, also which schema it knows."""
        return {**super().serialize(), SCHEMA: db.newest_revision()}

    # RQ's own methods, which must not end the worker where Redis does not do its work

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a job, also while Redis answers with errors."""
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except RedisError as error:
                OUTAGE.goes_on(error)
                time.sleep(1)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Never leave a work-horse behind, not even where Redis goes away meanwhile."""
        try:
            with _redis_may_be_away():
                super().execute_job(job, queue)
        finally:
            while self.horse_pid:
                self._reap_horse()
                time.sleep(0.1)
            if _exit_code(self._horse_ended[1]) == OTHER_SCHEMA:
                self._leave_it_to_others()

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Go on without Redis while the work-horse works; register again after it was wiped."""
        self._pass_stop_on()  # a work-horse that was just starting may have missed it
        with _redis_may_be_away():
            super().maintain_heartbeats(job, execution)
        self._register_again()
        self._keep_maintenance()

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ANN401 - RQ's signature
        """Prove to be alive; register again after Redis was wiped."""
        with _redis_may_be_away():
            super().heartbeat(timeout, pipeline)
        if pipeline is None:
            self._register_again()
            self._keep_maintenance()

    def _register_again(self) -> None:
        with _redis_may_be_away(), self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping=self.serialize())
            register(self, pipeline)
            pipeline.execute()
            OUTAGE.works()

    def _keep_maintenance(self) -> None:
        if self._maintenance and not self.is_horse and not self.asked_to_stop:
            self._maintenance.keep()

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ANN401 - RQ's signature
        """Note the state, in Redis if it is there."""
        with _redis_may_be_away():
            super().set_state(state, pipeline)

    def set_shutdown_requested_date(self) -> None:
        """Note that a signal came, in Redis if it is there."""
        with _redis_may_be_away():
            super().set_shutdown_requested_date()  # type: ignore[no-untyped-call]

    def run_maintenance_tasks(self) -> None:
        """Tidy RQ's registries, if Redis is there; what others put into them ends no worker."""
        try:
            with _redis_may_be_away():
                super().run_maintenance_tasks()  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("the registries of RQ cannot be tidied: %s", type(error).__name__)

    def teardown(self) -> None:
        """Say goodbye, if Redis is there."""
        with _redis_may_be_away():
            super().teardown()  # type: ignore[no-untyped-call]

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's signature
        """Do not ask: nobody suspends workers through Redis."""

    def subscribe(self) -> None:
        """Take no commands through Redis, which would need a thread."""

    def unsubscribe(self) -> None:
        """Have nothing to unsubscribe from."""

    # The work-horse: the fork that works on one run

    def setup_work_horse_signals(self) -> None:
        """Make the work-horse die with its parent, and take SIGTERM as a request to stop."""
        _handle_signals(STOP_REQUEST.make)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        processes.end_with_parent(signal.SIGKILL)
        if os.getppid() != self.pid:
            os._exit(1)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        """Take the run, unless the database's schema is not the one that this program knows."""
        if _is_another_schema():
            os._exit(OTHER_SCHEMA)
        processes.limit_memory(settings.current().memory_limit)
        attempt.be_alone()
        super().main_work_horse(job, queue)

    def _leave_it_to_others(self) -> None:
        end = time.monotonic() + OTHER_SCHEMA_SECONDS
        while time.monotonic() < end and not self.asked_to_stop:
            self.heartbeat()
            time.sleep(1)

    def handle_warm_shutdown_request(self) -> None:
        """Pass a request to stop on to the work-horse, which gives its run back."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        self._pass_stop_on()

    def _pass_stop_on(self) -> None:
        if self.asked_to_stop and self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        """Fork the work-horse."""
        self._horse_ended = (None, None, None)
        self._ended_for_memory = processes.ended_for_memory()
        self._horse_is_gone.acquire(blocking=False)
        super().fork_work_horse(job, queue)

    def wait_for_horse(self) -> Ended:
        """Wait for the end of the work-horse; returns its process id, wait status and usage.

        Raises HorseMonitorTimeoutException where it takes longer than RQ waits at a time.
        """
        self._reap_horse()  # it may have ended before its number was known
        if self.horse_pid and not self._horse_is_gone.acquire(timeout=self.job_monitoring_interval):
            raise HorseMonitorTimeoutException
        return self._horse_ended

    def kill_horse(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """End the work-horse, if it is alive."""
        if horse := self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(horse, sig)

    def _on_child_ended(self, _signal: int, _frame: FrameType | None) -> None:
        """Notice a killed work-horse at once, even while the parent waits for a frozen Redis."""
        self._reap_horse()
        self._closing = [child for child in self._closing if not _is_reaped(child)]

    def _reap_horse(self) -> None:
        horse = self.horse_pid
        with suppress(ChildProcessError):  # the signal has come in between
            if horse and (ended := os.wait4(horse, os.WNOHANG))[0]:
                self._horse_pid, self._horse_ended = 0, ended
                with suppress(RuntimeError):  # nobody waits
                    self._horse_is_gone.release()
                if ended[1] and _exit_code(ended[1]) != OTHER_SCHEMA:
                    self._close_run(*ended[:2])

    def _close_run(self, horse: int, status: int) -> None:
        """Close the run of a killed work-horse, in a child: the parent holds no connection."""
        child = os.fork()
        if child:
            self._closing.append(child)
            return
        try:
            _handle_signals(signal.SIG_DFL)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(CLOSING_SECONDS)
            error = memory.fatal(status, processes.ended_for_memory() > self._ended_for_memory)
            work_horse_died(db.name(horse), f"its work-horse died ({_how(status)})", error)
        except Exception as error:  # noqa: BLE001 - this process ends here, whatever it is
            log.warning("left to maintenance: %s", type(error).__name__)
        finally:
            os._exit(0)


def _exit_code(status: int | None) -> int:
    return os.waitstatus_to_exitcode(status or 0)


def _is_another_schema() -> bool:
    """Return whether this worker must take no run, and say why in its log."""
    with suppress(*db.ERRORS), db.everywhere() as connection:
        if not db.is_current(connection):
            log.error(
                "the database's schema is not %s, which this worker knows: it takes no run. %s",
                db.newest_revision(),
                maintenance.DEPLOY,
            )
            return True
    return False


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise StopRequested


@contextmanager
def _redis_may_be_away() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        OUTAGE.goes_on(error)


def main() -> None:
    """Work until told to stop (SIGTERM, Ctrl-C), or with `--burst` until the queue is empty."""
    parser = argparse.ArgumentParser(description="Take runs off the queue.")
    parser.add_argument("--burst", action="store_true", help="end when the queue is empty")
    parser.add_argument(
        "--without-maintenance", action="store_true", help="maintenance runs elsewhere"
    )
    options = parser.parse_args()
    quiet_rq()
    _warn_root()
    db.be_patient()
    fields.warm_up()
    sources.warm_up()
    db.newest_revision()  # kept: a deploy may put other files where this process came from
    gc.freeze()  # a work-horse that looks for garbage among all modules would copy their pages
    maintenance_process = None if options.without_maintenance else MaintenanceProcess()
    if maintenance_process:
        maintenance_process.keep()
    try:
        with suppress(StopRequested):
            while not _work(maintenance_process, burst=options.burst):
                time.sleep(1)
    finally:
        if maintenance_process:
            maintenance_process.end()


def _warn_root() -> None:
    """Say that a worker with the rights of root is no place to read what others have written."""
    if os.geteuid() == 0 and settings.given().database_url:
        log.warning(
            "this worker runs as root and works for an outside database: start it as a user of its"
            " own, who may do nothing else"
        )


def _work(maintenance_process: MaintenanceProcess | None, *, burst: bool) -> bool:
    """Work; returns whether that was all. RQ's worker gives up where Redis is gone too long."""
    _handle_signals(_stop)  # until RQ's worker has handlers of its own
    with _redis_may_be_away():
        worker = SyncWorker(maintenance_process)
        worker.work(burst=burst, logging_level="WARNING")
        return burst or worker.asked_to_stop
    return False
