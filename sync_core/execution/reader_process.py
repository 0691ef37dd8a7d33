"""Reads a source in a process of its own, which may hang, or die of what it reads.

The process of the pages serves everybody, so it reads nothing itself that others have written. It
asks a server of forks, which stays beside it and costs the wait for its start once, and hands it a
socket for each reading. All that passes is JSON, and files of rows that nobody but Postgres reads:
a reader that somebody has taken over can tell something false, and nothing more. It is told what it
takes to read, and no key but its source's; whoever compares is told the address of the database.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedRWPair
from typing import Any, BinaryIO

from sync_core.foundation import processes, settings
from sync_core.foundation.errors import SyncError

SECONDS = 90  # that a reading may take; whoever reads is patient with sources for less
START_SECONDS = 60  # that the server may take beside, on a busy machine
LARGEST_ANSWER = 16 * 2**20  # bytes; the largest are some hundred kB


@dataclass(frozen=True)
class Turns:
    """Lets so many read at once, for each may take as much memory as a sync, and few more wait.

    Whoever waits holds a thread of the API or the pages: however many sources are slow together,
    most threads stay free.
    """

    at_once: int
    waiting: int
    _all: threading.BoundedSemaphore = field(init=False, repr=False)
    _reading: threading.BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the places."""
        places = threading.BoundedSemaphore(self.at_once + self.waiting)
        object.__setattr__(self, "_all", places)
        object.__setattr__(self, "_reading", threading.BoundedSemaphore(self.at_once))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and hold it. Raises SyncError("probes_busy") where too many wait."""
        if not self._all.acquire(blocking=False):
            raise SyncError("probes_busy")
        with self._released(self._all):
            if not self._reading.acquire(timeout=SECONDS):
                raise SyncError("probes_busy")
            with self._released(self._reading):
                yield

    @contextmanager
    def _released(self, places: threading.BoundedSemaphore) -> Iterator[None]:
        try:
            yield
        finally:
            places.release()


SOURCES = Turns(at_once=2, waiting=6)  # tests of sources, whose servers may be slow
FILES = Turns(at_once=1, waiting=7)  # looks at files that somebody gives: they wait for no server


@dataclass(frozen=True)
class _Server:
    """A running server of forks, and our end of the socket to it."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    def close(self) -> None:
        """Let it end; its readers end with it."""
        self.control.close()
        self.process.wait()


class _Servers:
    """The server of this process: started when it is needed, and again where it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: _Server | None = None

    def hand_over(self, *files: int) -> None:
        """Give the server what a reader gets: its socket, and perhaps a file."""
        with self._lock:
            if self._server and self._server.process.poll() is not None:
                self._end()
            self._server = self._server or _start()
            socket.send_fds(self._server.control, [b"!"], files)

    def end(self) -> None:
        """End the server, if there is one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._server:
            self._server.close()
            self._server = None


_servers = _Servers()
atexit.register(_servers.end)


def _start() -> _Server:
    ours, theirs = socket.socketpair()
    paths = [str(settings.ROOT), os.environ.get("PYTHONPATH", "")]
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "sync_core.execution.fork_server", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            env={
                **processes.bare_environment(),
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
            pass_fds=[theirs.fileno()],
        )
    return _Server(process, ours)


def read(
    verb: str,
    told: Mapping[str, Any],
    files: Sequence[BinaryIO] = (),
    *,
    environment: Mapping[str, str],
    database: str | None = None,
    may_send: Callable[[], float] = lambda: 0.0,
) -> Any:  # noqa: ANN401 - JSON
    """Return what a verb of `readings.py` finds, as JSON; `told` is JSON, too.

    The process that reads knows the variables of the `environment` and no others, and the address
    of the `database`, if it is given one. Before each request to an account it asks `may_send`,
    which lets it through (0) or returns the seconds to wait (see `sources/rate_limit.py`).

    Raises SyncError: what the verb raises, too_much_memory, aborted, probe_too_long.
    """
    asked = {"verb": verb, "told": told, "environment": environment, "database": database}
    answer = _answer(asked, [file.fileno() for file in files], may_send)
    if "error" in answer:
        raise SyncError.from_json(answer["error"])
    return answer["found"]


def _answer(
    asked: Mapping[str, Any], files: list[int], may_send: Callable[[], float]
) -> dict[str, Any]:
    """Ask a reader; where it dies without an answer, say why it probably did."""
    began, seconds = time.monotonic(), SECONDS
    try:
        return _sent_back({**asked, "seconds": seconds}, files, may_send)
    except (OSError, ValueError):
        if time.monotonic() - began >= seconds:
            raise SyncError("probe_too_long", seconds=seconds) from None
        raise SyncError("aborted", limit=settings.current().memory_limit) from None


def _sent_back(
    asked: Mapping[str, Any], files: list[int], may_send: Callable[[], float]
) -> dict[str, Any]:
    """Return the answer of a reader. Raises OSError, ValueError where none comes."""
    until = time.monotonic() + SECONDS + START_SECONDS
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rwb") as line:
        with theirs:
            _servers.hand_over(theirs.fileno(), *files)
        ours.settimeout(SECONDS + START_SECONDS)
        _say(line, asked)
        while time.monotonic() < until:
            told: dict[str, Any] = json.loads(line.readline(LARGEST_ANSWER))  # cut, it is no JSON
            if "may_send" not in told:
                return told
            _say(line, may_send())
    raise ValueError("an answer without end")


def _say(line: BufferedRWPair, told: object) -> None:
    line.write(json.dumps(told).encode() + b"\n")
    line.flush()
