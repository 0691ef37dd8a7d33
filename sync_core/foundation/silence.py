"""A Postgres that says nothing, for it is frozen or cut off: noticed while people wait for it.

A slow statement and a frozen server look alike. So who waits for long asks, over a connection of
its own, whether the server answers anybody, and whether its backend works on the statement: one
that was frozen before has not begun, and of one that is through the answer is lost. A backend that
is frozen in the midst of a statement looks like one that works. But Postgres itself ends what takes
longer than its statement_timeout: a backend that says nothing for longer does nothing any more.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import psycopg

PATIENCE_SECONDS = 1.0  # without a word, until it is asked whether it answers anybody
ANSWER_SECONDS = 2  # for it to answer then; libpq knows no shorter time
KNOWN_SECONDS = 1.0  # for which an answer, or none, is believed
GRACE_SECONDS = 2.0  # for Postgres to say that it has ended a statement
RESTING = """
select pid, extract(epoch from clock_timestamp() - state_change)::float from pg_stat_activity
where application_name = current_setting('application_name') and state like 'idle%'
"""  # the backends of this process that work on nothing, and for how many seconds

T = TypeVar("T")
Connect = Callable[[], psycopg.Connection[Any]]


class Silence:
    """Whether a server answers nobody; one thread finds out for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found = False
        self._known_until = 0.0
        self._looked = 0.0
        self._resting: Mapping[int, float] = {}

    @property
    def is_known(self) -> bool:
        """Return whether it was found silent a moment ago."""
        return self._found and time.monotonic() < self._known_until

    def find(self, connect: Connect) -> bool:
        """Return whether it answers nobody, now or a moment ago."""
        with self._lock:
            if time.monotonic() > self._known_until:
                self._looked = time.monotonic()
                self._resting = {}
                self.note(self._look(connect))
        return self._found

    def rests(self, backend: int, sent: float) -> bool:
        """Return whether a backend rested though it was `sent` a statement, and nothing had come.

        It has not begun, or its answer is lost.
        """
        since = self._looked - sent
        return min(since, self._resting.get(backend, 0.0)) > PATIENCE_SECONDS

    def _look(self, connect: Connect) -> bool:
        try:
            with connect() as asking:
                self._resting = dict(asking.execute(RESTING).fetchall())
        except psycopg.errors.ConnectionTimeout:
            return True
        except psycopg.Error:
            return False  # it has answered, or is gone: then whoever waits for it hears it
        return False

    def note(self, found: bool) -> None:  # noqa: FBT001 - what it is about
        """Believe for a moment that it is silent, or not."""
        self._found = found
        self._known_until = time.monotonic() + KNOWN_SECONDS


class ListeningConnection(psycopg.Connection[Any]):
    """A connection that gives up where its server or its backend answers nobody; closed then."""

    silence: Silence | None = None  # None: it waits for ever
    limit: float | None = None  # seconds after which Postgres ends a statement; None: it does not
    again: Connect

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **options: Any) -> T:  # noqa: ANN401 - psycopg's
        """Wait for an answer as psycopg does, and listen meanwhile."""
        return super().wait(self._listening(gen) if self.silence else gen, *args, **options)

    def _listening(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Hand everything through; psycopg asks ten times a second also where nothing has come."""
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() > heard + PATIENCE_SECONDS:
                    self._give_up_on_silence(heard)
                wanted = gen.send(ready)
        except StopIteration as end:
            if self.silence and self.silence.is_known:  # not any more: others may connect again
                self.silence.note(found=False)
            answer: T = end.value
            return answer

    def _give_up_on_silence(self, heard: float) -> None:
        if self.silence is None:
            return
        is_silent = self.silence.find(self.again)
        if is_silent or self._backend_is_lost(self.silence, heard):
            self.close()
            who = "the server answers nobody" if is_silent else "its backend answers nobody"
            raise psycopg.errors.ConnectionTimeout(who)

    def _backend_is_lost(self, silence: Silence, heard: float) -> bool:
        if self.limit is not None and time.monotonic() > heard + self.limit + GRACE_SECONDS:
            return True
        return silence.rests(self.pgconn.backend_pid, heard)


def connect(
    silence: Silence,
    limit: float | None,
    **options: Any,  # noqa: ANN401 - libpq's
) -> ListeningConnection:
    """Connect, and listen from then on. Raises psycopg.OperationalError."""
    if silence.is_known:
        raise psycopg.errors.ConnectionTimeout("the server answered nobody a moment ago")
    options["connect_timeout"] = ANSWER_SECONDS
    try:
        made = ListeningConnection.connect(**options)
    except psycopg.errors.ConnectionTimeout:
        silence.note(found=True)
        raise
    made.silence, made.limit, made.again = silence, limit, lambda: psycopg.connect(**options)
    return made
