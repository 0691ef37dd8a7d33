"""Everything of one machine: workers and the pages as processes that end with their parent."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from redis import RedisError

from sync_core.execution import queue
from sync_core.foundation import db
from sync_core.foundation.processes import bare_environment, end_with_parent
from sync_core.foundation.settings import ROOT, UP

STOP_SECONDS = 15  # for a process to end by itself


def run(
    port: int, say: Callable[[str], None], cliniko: Path | None = None, workers: int = 1
) -> int:
    """Run workers and pages until told to stop, or until one of them ends; returns an exit code.

    A made-up Cliniko runs beside them if `cliniko` is given: where it writes what leads to it.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _signal, _frame: stop.set())
    if not _is_free(port):
        say(f"Port {port} is taken: choose another one with --port.")
        return 1
    processes = []
    try:
        if cliniko:
            processes.append(start_cliniko(cliniko))
        processes += [start_pages(port), *(start_worker() for _ in range(workers))]
        if _wait_for_pages(port, processes, stop):
            say(f"Sync Desk is at http://127.0.0.1:{port} (Ctrl-C stops it).")
        while not stop.wait(0.3):
            if any(process.poll() is not None for process in processes):
                say("A part of it ended unexpectedly; everything else is stopped.")
                return 1
    finally:
        _end(processes)
    say("Stopped.")
    return 0


def start_cliniko(settings: Path) -> subprocess.Popen[bytes]:
    """Start the made-up Cliniko, and wait until it has written the settings that lead to it."""
    command = [sys.executable, "-m", "sync_core.demo.cliniko", str(settings)]
    process = _start(command, bare_environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout:
        process.stdout.readline()  # it says no more than that it listens
    return process


def start_worker(*options: str) -> subprocess.Popen[bytes]:
    """Start a worker as a process of its own."""
    return _start([sys.executable, str(ROOT / "worker.py"), *options])


def a_worker_is_alive() -> bool:
    """Return whether one is, or may be, that would take a run of this version."""
    try:
        return queue.workers(schema=db.newest_revision()) > 0
    except RedisError:
        return True  # ours could not take the run off the queue either


def start_pages(port: int) -> subprocess.Popen[bytes]:
    """Start the pages on loopback."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py")]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    return _start(command, stdout=subprocess.DEVNULL)  # we say the address; errors go to stderr


def _start(
    command: list[str], environment: Mapping[str, str] | None = None, stdout: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a part of it; the pages and the workers have our environment."""
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        cwd=ROOT,
        env={**(os.environ if environment is None else environment), UP: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        start_new_session=True,  # Ctrl-C reaches the parent alone, which ends them in order
        preexec_fn=partial(end_with_parent, signal.SIGTERM),  # noqa: PLW1509 - the parent has one thread
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait_for_pages(
    port: int, processes: list[subprocess.Popen[bytes]], stop: threading.Event
) -> bool:
    """Wait until the pages answer; returns whether they do."""
    while not stop.is_set() and all(process.poll() is None for process in processes):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.1)
    return False


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End them in the opposite order, for who comes later may need who came before."""
    for process in reversed(processes):
        process.terminate()
    end = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
