"""Listens to what is written about runs in Redis, as Redis itself hears it."""

import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from redis import Redis

from sync_core.foundation import settings
from sync_core.runs import progress
from sync_core.runs.progress import Progress

OVER = "listened"  # what ends the listening


@dataclass
class Listener:
    """Keeps every news of a run's progress, in order, with the server's time of it."""

    news: list[tuple[float, Progress]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._redis = Redis.from_url(settings.urls().redis, decode_responses=True)
        self._hears = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._hears.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._redis.set(OVER, "", px=1)
        self._thread.join(10)
        self._redis.close()

    def _listen(self) -> None:
        with self._redis.monitor() as monitor:  # type: ignore[no-untyped-call] # redis-py
            self._hears.set()
            while True:
                heard: dict[str, Any] = monitor.next_command()
                words = heard["command"].split(" ", 2)
                if words[0] == "SET" and words[1] == OVER:
                    return
                if words[0] == "SET" and words[1].startswith(progress.key(0)[:-1]):
                    text = words[2].rpartition(" EX ")[0].replace('\\"', '"')
                    self.news.append((heard["time"], Progress.from_text(text)))
