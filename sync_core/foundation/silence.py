"""A Postgres that says nothing, for it is frozen or cut off: noticed while people wait for it.

A slow statement and a frozen server look alike. So who waits for long asks, over a connection of
its own, whether the server answers anybody; it goes on waiting where it does.
"""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg

PATIENCE_SECONDS = 1.0  # without a word, until it is asked whether it answers anybody
ANSWER_SECONDS = 2  # for it to answer then; libpq knows no shorter time
KNOWN_SECONDS = 1.0  # for which an answer, or none, is believed

T = TypeVar("T")
Connect = Callable[[], psycopg.Connection[Any]]


class Silence:
    """Whether a server answers nobody; one thread finds out for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found = False
        self._known_until = 0.0

    @property
    def is_known(self) -> bool:
        """Return whether it was found silent a moment ago."""
        return self._found and time.monotonic() < self._known_until

    def find(self, connect: Connect) -> bool:
        """Return whether it answers nobody, now or a moment ago."""
        with self._lock:
            if time.monotonic() > self._known_until:
                self.note(_is_silent(connect))
        return self._found

    def note(self, found: bool) -> None:  # noqa: FBT001 - what it is about
        """Believe for a moment that it is silent, or not."""
        self._found = found
        self._known_until = time.monotonic() + KNOWN_SECONDS


def _is_silent(connect: Connect) -> bool:
    try:
        connect().close()
    except psycopg.errors.ConnectionTimeout:
        return True
    except psycopg.Error:
        return False  # it has answered, or is gone: then whoever waits for it hears it
    return False


class ListeningConnection(psycopg.Connection[Any]):
    """A connection that gives up where its server answers nobody; closed then."""

    silence: Silence | None = None  # None: it waits for ever
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
                    self._give_up_on_silence()
                wanted = gen.send(ready)
        except StopIteration as end:
            if self.silence and self.silence.is_known:  # not any more: others may connect again
                self.silence.note(found=False)
            answer: T = end.value
            return answer

    def _give_up_on_silence(self) -> None:
        if self.silence and self.silence.find(self.again):
            self.close()
            raise psycopg.errors.ConnectionTimeout("the server answers nobody")


def connect(silence: Silence, **options: Any) -> ListeningConnection:  # noqa: ANN401 - libpq's
    """Connect, and listen from then on. Raises psycopg.OperationalError."""
    if silence.is_known:
        raise psycopg.errors.ConnectionTimeout("the server answered nobody a moment ago")
    options["connect_timeout"] = ANSWER_SECONDS
    try:
        made = ListeningConnection.connect(**options)
    except psycopg.errors.ConnectionTimeout:
        silence.note(found=True)
        raise
    made.silence, made.again = silence, lambda: psycopg.connect(**options)
    return made
