"""Forks a process for each reading, out of one that has loaded all that reading takes.

`reader_process.py` starts it with an end of a socket, and hands it another one for each reading; it
ends when the first is closed. It opens no connection and runs no thread: none survives a fork. It
knows no setting and no key: each reader is told its own.
"""

import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from io import BufferedRWPair
from typing import Any, NoReturn

from sync_core import sources
from sync_core.catalogue import fields
from sync_core.execution import memory, readings
from sync_core.foundation import db, processes, settings
from sync_core.foundation.errors import SyncError
from sync_core.sources import rate_limit

MOST_FILES = 8  # that a reader is handed: as many as a resource has tables

log = logging.getLogger("syncdesk.reading")


def serve(control: socket.socket) -> None:
    """Fork a reader for each socket that comes, and the files with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever started us ends us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a reader has ended
    server = os.getpid()
    while True:
        message, handed, _, _ = socket.recv_fds(control, 1, 1 + MOST_FILES)
        if not message:
            return
        if not os.fork():
            control.close()
            _read_and_end(server, handed)
        for one in handed:
            os.close(one)


def _read_and_end(server: int, handed: Sequence[int]) -> NoReturn:
    """Be a reader; how it ends is the kernel's affair, too: a signal or a lack of memory."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        processes.end_with_parent(signal.SIGKILL)
        with socket.socket(fileno=handed[0]).makefile("rwb") as line:
            if os.getppid() == server:
                answer = _answer(line, json.loads(line.readline()), handed[1:])
                _say(line, answer)
    finally:
        os._exit(0)


def _say(line: BufferedRWPair, told: object) -> None:
    line.write(json.dumps(told, default=str).encode() + b"\n")
    line.flush()


def _answer(line: BufferedRWPair, asked: Mapping[str, Any], files: Sequence[int]) -> dict[str, Any]:
    """Return what was found, or the error that people are told."""
    signal.alarm(asked["seconds"])  # whatever hangs then is ended
    settings.know_only(asked["environment"])
    if asked["database"]:
        db.know_only(asked["database"])
    db.be_brief()
    rate_limit.ask_elsewhere(lambda: _seconds_to_wait(line))
    processes.limit_memory(settings.current().memory_limit)
    try:
        return {"found": readings.VERBS[asked["verb"]](*files, **asked["told"])}
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes a sentence
        return {"error": _told(error).as_json()}


def _seconds_to_wait(line: BufferedRWPair) -> float:
    """Ask whoever waits for this reader whether it may send a request now."""
    _say(line, {"may_send": True})
    return float(json.loads(line.readline()))


def _told(error: Exception) -> SyncError:
    if memory.ran_out(error):
        processes.lift_memory_limit()
        return memory.too_much()
    if isinstance(error, SyncError):
        return error
    if known := db.as_sync_error(error):
        return known
    log.error("a reading", exc_info=error)
    return SyncError("internal")


if __name__ == "__main__":
    fields.warm_up()
    sources.warm_up()
    gc.freeze()  # a reader that looks for garbage among all modules would copy their pages
    serve(socket.socket(fileno=int(sys.argv[1])))
