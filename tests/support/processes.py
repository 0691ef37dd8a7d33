"""The processes of the program and its servers, and what a test can do to them."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import psutil
import psycopg

from sync_core.foundation import settings
from tests.support import slow_worker
from tests.support.waiting import eventually

Process = ForkServerProcess
Crew = Callable[..., Process]  # starts a worker: options, and the environment by keyword

AT_WORK = """
select pid from pg_stat_activity
where application_name like '%%:' || %s and pg_backend_pid() = any(pg_blocking_pids(pid))
"""

FORKS = get_context("forkserver")  # all that a worker imports takes seconds: once is enough
FORKS.set_forkserver_preload(["tests.support.slow_worker"])


def worker(*options: str, **environment: str) -> Process:
    """Start a slow worker; give e.g. SLOW_PAGE="0.1" (seconds)."""
    return start(slow_worker.main, options, environment)


def start(target: Callable[..., None], *arguments: object) -> Process:
    """Start a function in a process of its own."""
    process = FORKS.Process(target=_run, args=(dict(os.environ), target, arguments), daemon=True)
    process.start()
    return process


def _run(
    environment: dict[str, str], target: Callable[..., None], arguments: tuple[object, ...]
) -> None:
    os.environ.update(environment)  # what the fork server has is of the test that began it
    target(*arguments)


def end(process: Process, seconds: float = 20) -> int | None:
    """Ask a process to stop, and return its exit code; None where it goes on."""
    process.terminate()
    process.join(seconds)
    return process.exitcode


def work_horse(worker: Process) -> int | None:
    """Return the process id of the worker's work-horse, if there is one: it leads a group."""
    return next((child for child, leads in _children(worker) if leads), None)


def maintenance(worker: Process) -> int | None:
    """Return the process id of the worker's maintenance."""
    return next((child for child, leads in _children(worker) if not leads), None)


def _children(worker: Process) -> Iterator[tuple[int, bool]]:
    with suppress(psutil.NoSuchProcess, ProcessLookupError):
        for child in psutil.Process(worker.pid).children():
            yield child.pid, os.getpgid(child.pid) == child.pid


def data() -> Path:
    """Return the folder of the embedded servers."""
    return settings.current().data


def postmaster() -> int:
    """Return the process id of Postgres."""
    return int((data() / "pg" / "postmaster.pid").read_text().split()[0])


def postgres() -> list[int]:
    """Return the process ids of Postgres and all its backends."""
    first = postmaster()
    return [first, *(child.pid for child in psutil.Process(first).children())]


def backends(application: str) -> list[int]:
    """Return the process ids of the backends that serve a process, by its name."""
    query = "select pid from pg_stat_activity where application_name = %s"
    address = settings.urls().database.replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        return [pid for (pid,) in connection.execute(query, [application])]


def valkey() -> int:
    """Return the process id of Valkey."""
    return _by_command("valkey-server", str(data()))


def supervisor() -> int:
    """Return the process id of whoever starts the servers again."""
    return _by_command("embedded.py", str(data()))


def _by_command(program: str, folder: str) -> int:
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any(program in word for word in command) and any(folder in word for word in command):
            return process.pid
    raise ProcessLookupError(program)


def kill(pid: int | None, number: int = signal.SIGKILL) -> None:
    """Send a signal to a process, if it lives."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def frozen(*pids: int | None) -> Iterator[None]:
    """Stop processes for a while: they neither die nor do anything."""
    for pid in pids:
        kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            kill(pid, signal.SIGCONT)


@contextmanager
def frozen_at_work(
    begin: Callable[[], object], process: int | None = None, address: str = ""
) -> Iterator[None]:
    """Let a process (this one) begin something that reads runs; freeze its backends meanwhile."""
    where = address or settings.urls().database
    with ExitStack() as held:
        with psycopg.connect(where.replace("+psycopg", "")) as connection:
            connection.execute("lock table runs")
            begin()
            asked = [str(process or os.getpid())]
            at_work = eventually(lambda: connection.execute(AT_WORK, asked).fetchall())
            held.enter_context(frozen(*(pid for (pid,) in at_work)))
            connection.rollback()
        yield


@contextmanager
def gone(*servers: Callable[[], int]) -> Iterator[None]:
    """Kill servers, and let nobody start them again for a while."""
    with frozen(supervisor()):
        for server in servers:
            kill(server())
        yield


def end_all(processes: Sequence[Process]) -> None:
    """End processes, whatever state they are in."""
    for process in processes:
        kill(process.pid, signal.SIGCONT)
        process.kill()
        process.join()


def left() -> list[int]:
    """Return the process ids of all workers, work-horses and maintenance that are there."""
    ours = []
    for process in psutil.process_iter(["cmdline"]):
        with suppress(psutil.Error):
            fork = any("multiprocessing.forkserver" in word for word in process.cmdline())
            if fork and process.environ().get("SYNCDESK_DATA") == str(data()):
                ours.append(process)
    first = min(ours, key=psutil.Process.create_time, default=None)  # it forks them
    return [process.pid for process in ours if process != first]
