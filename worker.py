"""Take runs off the queue: `python worker.py [--burst] [--without-beat]`.

The parent imports everything before its first job, so that a forked work-horse starts at once; it
opens no connection to Postgres and runs no Polars operation, which would not survive the fork.
"""

import argparse
import ctypes
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from redis import ConnectionError as RedisConnectionError
from redis import TimeoutError as RedisTimeoutError
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.worker_registration import register

from sync_core import heart, jobs, kv

REDIS_IS_GONE = (RedisConnectionError, RedisTimeoutError)
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG
ROOT = Path(__file__).resolve().parent

log = logging.getLogger("syncdesk.worker")


class SyncWorker(Worker):
    """A worker whose work-horse dies with it, which outlives an outage of Redis."""

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002 - RQ's signature
        """Let RQ's own record of a dead job expire soon; nobody asks it how a run ended."""
        return 15

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Go on without Redis while the horse works; be known again after it was wiped."""
        try:
            super().maintain_heartbeats(job, execution)
            self._be_known()
        except REDIS_IS_GONE as error:
            log.warning("Redis does not answer, the run goes on: %s", type(error).__name__)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:  # noqa: ANN401 - RQ's signature
        """Prove to be alive; be known again after Redis was wiped."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None:
            self._be_known()

    def _be_known(self) -> None:
        with self.connection.pipeline() as pipeline:
            pipeline.hset(self.key, mapping=self.serialize())
            register(self, pipeline)
            pipeline.execute()

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Never leave a horse behind, not even where Redis goes away under it."""
        try:
            super().execute_job(job, queue)
        except REDIS_IS_GONE as error:
            log.warning("Redis went away around %s: %s", job.id, type(error).__name__)
            self._wait_for_the_horse()

    def _wait_for_the_horse(self) -> None:
        if self.horse_pid:
            with suppress(ChildProcessError):
                os.waitpid(self.horse_pid, 0)
            self._horse_pid = 0

    def setup_work_horse_signals(self) -> None:
        """Make the horse die with its parent, and take SIGTERM as a request to stop."""
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _ask_to_stop)

    def handle_warm_shutdown_request(self) -> None:
        """Pass a request to stop on to the horse, which gives its run back."""
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ leaves it out
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)


def _ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
    heart.STOPPING.set()


def close_run_of_dead_horse(job: Job, _pid: int, status: int, _usage: object) -> None:
    """Close the run at once, in a process of its own: this one may hold no connection."""
    child = os.fork()
    if child == 0:
        try:
            jobs.horse_died(job.args[0], f"its work-horse died (wait status {status})")
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def main() -> None:
    """Work until told to stop (SIGTERM, Ctrl-C), or with `--burst` until the queue is empty."""
    parser = argparse.ArgumentParser(description="Take runs off the queue.")
    parser.add_argument("--burst", action="store_true", help="end when the queue is empty")
    parser.add_argument("--without-beat", action="store_true", help="the beat runs elsewhere")
    options = parser.parse_args()
    beat = None if options.without_beat else _start_beat()
    try:
        worker = SyncWorker(
            [jobs.QUEUE],
            connection=kv.queue_client(),
            worker_ttl=20,
            job_monitoring_interval=3,
            maintenance_interval=5,
            work_horse_killed_handler=close_run_of_dead_horse,
        )
        worker.work(burst=options.burst, logging_level="WARNING")
    finally:
        if beat:
            beat.terminate()
            beat.wait(10)


def _start_beat() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "sync_core.beat", "--with-parent"]
    return subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own module


if __name__ == "__main__":
    main()
