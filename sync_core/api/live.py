"""What is new of runs, for all who watch them: read once for the whole process.

Postgres and Redis are asked twice a second for all runs that anybody watches, whoever and how many
they are. Redis may be wiped meanwhile: what a run is comes from Postgres, and the lines of its log
that were lost are told when its attempt has left them there.
"""

import asyncio
import hashlib
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from anyio import CapacityLimiter, to_thread
from redis import RedisError
from sqlalchemy import Connection

from sync_core import runs
from sync_core.api import stopping
from sync_core.foundation import db, redis_clients
from sync_core.foundation.errors import SyncError
from sync_core.runs import Run, Tallies, attempts, progress, recovery
from sync_core.runs.progress import Line, Progress

log = logging.getLogger("syncdesk.api")

LOOK_SECONDS = 0.5  # between two looks, at most
TOGETHER_SECONDS = 0.03  # and at least
MOST = 500  # who watch, in this process
OF_ONE = 100  # of these, of one person, with all tokens of theirs


@dataclass(frozen=True)
class View:
    """What is known of a run at one look."""

    run: Run
    counts: Tallies
    progress: Progress | None  # of a run that has ended, how far it came
    lines: Sequence[Line] = ()  # of its log

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it by itself: it has ended."""
        return self.run.finished_at is not None


def look(watched: Mapping[int, int]) -> Mapping[int, View]:
    """Look at these runs, each with its organization's id: who watches them may see them."""
    run_ids = list(watched)
    news, logs = _live(run_ids)
    with db.within(*set(watched.values())) as connection:
        recovery.close_overdue(connection, run_ids=run_ids)
        found = runs.some(connection, run_ids)
        counted = runs.tallies(connection, run_ids)
        views = {}
        for run in found:
            left = attempts.joined_log(attempts.of_run(connection, run.id))
            lines = {line.at: line for line in (*left, *logs.get(run.id, ()))}
            in_order = [lines[at] for at in sorted(lines)]
            views[run.id] = View(run, counted.get(run.id, {}), news.get(run.id), in_order)
    return views


def _live(run_ids: Sequence[int]) -> tuple[Mapping[int, Progress], Mapping[int, Sequence[Line]]]:
    try:
        return progress.read(redis_clients.client(), run_ids)
    except RedisError:
        return {}, {}


def without_logs(connection: Connection, found: Sequence[Run]) -> list[View]:
    """Look at these runs once, but for their logs."""
    run_ids = [run.id for run in found]
    try:
        news = progress.news(redis_clients.client(), run_ids)
    except RedisError:
        news = {}
    counted = runs.tallies(connection, run_ids)
    return [View(run, counted.get(run.id, {}), news.get(run.id)) for run in found]


@dataclass
class _Watched:
    """A run that is watched: the last look, and an event for the next one that shows something."""

    organization_id: int
    view: View | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """The one reader of a server, and who waits for it."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._readers = Counter[int]()
        self._people = Counter[str]()
        self._limiter = CapacityLimiter(1)
        self._wanted = asyncio.Event()  # a look before its time, at a run that nobody watched yet
        self._task: asyncio.Task[None] | None = None

    @property
    def readers(self) -> int:
        """How many watch."""
        return self._readers.total()

    @asynccontextmanager
    async def of(self, run: Run, who: str) -> AsyncIterator[AsyncIterator[View]]:
        """Let somebody watch a run: an iterator over what changes, until the server is to stop.

        Raises SyncError("too_many_streams").
        """
        if self.readers >= MOST:
            raise SyncError("too_many_streams", most=MOST)
        if self._people[who] >= OF_ONE:
            raise SyncError("too_many_streams", most=OF_ONE)
        self._readers[run.id] += 1
        self._people[who] += 1
        if run.id not in self._watched:
            self._watched[run.id] = _Watched(run.organization_id)
            self._wanted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        try:
            yield self._changes(run.id)
        finally:
            self._readers[run.id] -= 1
            self._people[who] -= 1
            self._people += Counter[str]()  # drops who has none left
            if self._readers[run.id] == 0:
                del self._readers[run.id], self._watched[run.id]

    async def _changes(self, run_id: int) -> AsyncIterator[View]:
        watched, shown = self._watched[run_id], None
        while not stopping.event().is_set():
            changed = watched.changed
            if watched.view is not None and watched.view is not shown:
                shown = watched.view
                yield shown
            else:
                await changed.wait()

    async def _look_on(self) -> None:
        """Look as long as anybody watches; a look that fails is followed by another one."""
        told = ""  # what went wrong at the last look: it may go on for long
        while self._watched and not stopping.event().is_set():
            try:
                watched = {run_id: one.organization_id for run_id, one in self._watched.items()}
                views = await to_thread.run_sync(look, watched, limiter=self._limiter)
                told = ""
            except Exception as error:  # noqa: BLE001 - the next look may do better
                if told != type(error).__name__:
                    log.warning("a look at runs failed: %s", type(error).__name__)
                told, views = type(error).__name__, {}
            for run_id, view in views.items():
                self._show(run_id, view)
            await self._pause()
        for one in self._watched.values():
            one.changed.set()

    def _show(self, run_id: int, view: View) -> None:
        watched = self._watched.get(run_id)
        if watched is not None and watched.view != view:
            watched.view = view
            watched.changed.set()
            watched.changed = asyncio.Event()

    async def _pause(self) -> None:
        """Wait until the next look is due; many who come at once are looked after together."""
        await asyncio.sleep(TOGETHER_SECONDS)
        ends = [asyncio.create_task(event.wait()) for event in (stopping.event(), self._wanted)]
        rest = LOOK_SECONDS - TOGETHER_SECONDS
        await asyncio.wait(ends, timeout=rest, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        self._wanted.clear()


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def open_now() -> int:
    """Count the streams that are open in this process."""
    return sum(one.readers for one in _watches.values())


def watch() -> Watch:
    """Return the one reader of this loop's server."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())


@dataclass(frozen=True)
class Place:
    """Up to where somebody has heard of a run: the last line of its log, and its last state.

    It is the id of an event, so whoever comes back with it hears neither twice, from any server.
    """

    line: int = 0  # microseconds since 1970
    state: str = ""  # a digest
    over: bool = False

    def __str__(self) -> str:
        """Return it as an id."""
        return f"{self.line}-{self.state}{'-end' if self.over else ''}"


START = Place()


def place(text: str | None) -> Place:
    """Read the id of an event; whatever is none stands for the start."""
    parts = (text or "").split("-")
    if len(parts) < 2 or not (parts[0].isascii() and parts[0].isdecimal()):  # noqa: PLR2004 - line, state
        return START
    return Place(int(parts[0][:20]), parts[1], parts[-1] == "end")


def line_place(line: Line) -> int:
    """Return where a line stands in the log of its run."""
    return round(line.at * 1_000_000)


def digest(told: Mapping[str, object]) -> str:
    """Return what tells one state of a run from another."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
