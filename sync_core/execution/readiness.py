"""Whether all is there that a sync needs: Postgres and its tables, Redis, a worker.

A server may be frozen, and then answers nobody: each is asked by a thread of its own, one at a time
however many want to know, and whoever wants to know need not wait for it.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from redis import RedisError

from sync_core.execution import queue
from sync_core.foundation import db, redis_clients

PATIENCE = 2.0  # seconds after which a server that has not answered counts as gone
SEEN_SECONDS = 30  # since a worker was seen, at most

OTHER_WORKERS = (
    "The workers are of another version than this program: stop them and start python worker.py of"
    " the one that was deployed."
)
NO_POSTGRES, NO_REDIS = "Postgres does not answer.", "Redis does not answer."


@dataclass(frozen=True)
class Check:
    """What was found out about one thing that a sync needs."""

    name: str
    ok: bool
    sentence: str


Finding = tuple[bool, str]


def _postgres() -> Finding:
    return (True, "Postgres answers.") if db.answers() else (False, NO_POSTGRES)


def _migrations() -> Finding:
    with db.everywhere() as connection:
        if db.is_current(connection):
            return True, "The tables are those of this version."
    return False, "The tables are those of another version: run syncdesk migrate."


def _redis() -> Finding:
    redis_clients.client().ping()
    return True, "Redis answers."


def _worker() -> Finding:
    if seen := queue.workers(SEEN_SECONDS, db.newest_revision()):
        return True, f"Workers seen in the last {SEEN_SECONDS} s: {seen}."
    if queue.workers(SEEN_SECONDS):
        return False, OTHER_WORKERS
    return False, f"No worker was seen in the last {SEEN_SECONDS} s: start python worker.py."


CHECKS: Mapping[str, Callable[[], Finding]] = {
    "postgres": _postgres,
    "migrations": _migrations,
    "redis": _redis,
    "worker": _worker,
}
SILENT = {  # what is told of a check that has not ended in time
    "postgres": NO_POSTGRES,
    "migrations": f"It cannot be told: {NO_POSTGRES}",
    "redis": NO_REDIS,
    "worker": f"It cannot be told: {NO_REDIS}",
}

_asked: dict[str, Future[Check]] = {}
_lock = threading.Lock()


def ask(name: str) -> Future[Check]:
    """Ask one of `CHECKS`, or join who asks it at the moment; the future raises nothing."""
    with _lock:
        running = _asked.get(name)
        if running is None or running.done():
            running = _asked[name] = Future()
            threading.Thread(target=_find_out, args=(name, running), daemon=True).start()
        return running


def silent(name: str) -> Check:
    """Return what is known of a check that has not ended in time."""
    return Check(name, ok=False, sentence=SILENT[name])


def _find_out(name: str, found: "Future[Check]") -> None:
    try:
        ok, sentence = CHECKS[name]()
    except Exception as error:  # noqa: BLE001 - whatever it is, this is not ready
        found.set_result(_failed(name, error))
    else:
        found.set_result(Check(name, ok, sentence))


def _failed(name: str, error: Exception) -> Check:
    if isinstance(error, RedisError) or db.is_away(error):
        return silent(name)
    return Check(name, ok=False, sentence=f"It cannot be told: {type(error).__name__}.")
