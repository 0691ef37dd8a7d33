"""Live news of a run in Redis: it may be lost, and is never believed over the run."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any, Literal, get_args

from redis import Redis, RedisError

from sync_core.catalogue.phases import SHEETS, Band
from sync_core.foundation.breaker import Breaker
from sync_core.runs.traffic import NO_TRAFFIC, Traffic

KEPT_SECONDS = 86_400
LARGEST = 2**63 - 1
LAST_SECOND = 4_102_444_800  # of 2099
LINES = 500  # of a log, at most
WRITE_SECONDS = 0.25  # between two writes, at least
AFTER_SECONDS = 2e-6  # between two lines of a log, at least: readers know them by microseconds


SHEET_BANDS = SHEETS.bands


@dataclass(frozen=True)
class Amount:
    """How much is done of a phase. `total` is None where nobody knows it, and may be exceeded."""

    done: int = 0
    total: int | None = None
    unit: str = "rows"  # "" where the sentence tells the numbers


@dataclass(frozen=True)
class Download:
    """How many bytes of a source have been read; `whole` is None where nobody knows it."""

    read: int | None = None
    whole: int | None = None


@dataclass(frozen=True)
class Progress:
    """What a run is doing now."""

    phase: str = ""
    sentence: str = ""
    amount: Amount = Amount()
    percent: int = 0
    download: Download | None = None  # None where the source is not read by its bytes
    traffic: Traffic = NO_TRAFFIC
    counts: Mapping[str, int] = field(default_factory=dict)
    attempt: int = 0
    at: float = 0.0  # seconds since 1970
    since: float = 0.0  # when the phase began, as `at`

    @property
    def makes_sense(self) -> bool:
        """Whether each part is what it must be: others may have written it."""
        file = self.download or Download()
        unknown = (n for n in (self.amount.total, file.read, file.whole) if n is not None)
        traffic = (self.traffic.requests, self.traffic.bytes)
        numbers = (self.attempt, self.amount.done, *traffic, *unknown, *self.counts.values())
        texts = (self.phase, self.sentence, self.amount.unit, *self.counts)
        return (
            all(isinstance(text, str) for text in texts)
            and all(isinstance(n, int) and 0 <= n <= LARGEST for n in (*numbers, self.percent))
            and self.percent <= 100  # noqa: PLR2004 - percent
            and all(_is_moment(n) for n in (self.at, self.since, self.traffic.waited))
        )

    def to_text(self) -> str:
        """Return it as Redis keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Progress":
        """Return what Redis keeps; of a worker of another version, whatever is known of it."""
        kept = json.loads(text)
        known = {name: kept[name] for name in cls.__dataclass_fields__ if name in kept}
        amount, download = kept.get("amount"), kept.get("download")
        traffic = kept.get("traffic")
        return cls(
            **{
                **known,
                "amount": Amount(**amount) if amount else Amount(),
                "download": Download(**download) if download else None,
                "traffic": Traffic(**traffic) if traffic else NO_TRAFFIC,
            }
        )


Level = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Line:
    """One line of a run's log."""

    at: float  # seconds since 1970
    level: Level
    text: str

    @property
    def makes_sense(self) -> bool:
        """Whether each part is what it must be: others may have written it."""
        return isinstance(self.text, str) and self.level in get_args(Level) and _is_moment(self.at)


def _is_moment(seconds: object) -> bool:
    """Return whether it is a time of our days, or a span of it: of no other makes sense a date."""
    return isinstance(seconds, int | float) and 0 <= seconds < LAST_SECOND


NO_SENSE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # of what is read


def _progress(text: object) -> Progress | None:
    """Return the news that Redis holds; None where there are none, or they make no sense."""
    with suppress(*NO_SENSE):
        if text and (found := Progress.from_text(str(text))).makes_sense:
            return found
    return None


def _lines(log: object) -> list[Line]:
    """Return the lines of a log that make sense.

    Each is there once: it is sent again where Redis took it and did not say so.
    """
    found = []
    for _, entry in log if isinstance(log, list) else ():
        with suppress(*NO_SENSE):
            if (line := Line(**json.loads(entry["line"]))).makes_sense:
                found.append(line)
    return list(dict.fromkeys(found))


class Reporter:
    """Writes the progress and the log of one attempt, and never fails."""

    def __init__(self, redis: Redis, run_id: int, attempt: int) -> None:
        self._redis = redis
        self._run_id = run_id
        self.lines: deque[Line] = deque(maxlen=LINES)
        self.latest = Progress(attempt=attempt)
        self.traffic: dict[str, Traffic] = {}  # by entity
        self._next = 0.0
        self._unsent: deque[Line] = deque(maxlen=LINES)
        self._last: str | bytes | None = None  # the entry of the line that was sent last
        self._breaker = Breaker()

    def tell(
        self,
        band: Band,
        sentence: str,
        *,
        fraction: float = 0.0,
        now: bool = False,
        counts: Mapping[str, int] | None = None,
        amount: Amount | None = None,
        download: Download | None = None,
    ) -> None:
        """Keep the news, and write it when it is time, or `now`; the bar never goes back.

        `counts` are live counts that rise in this band; those of earlier ones stay. What is not
        given stays as it was, but for the `amount`, which is that of this band alone.
        """
        begins = band.name != self.latest.phase
        now_is = time.time()
        place = band.start + int((band.end - band.start) * min(fraction, 1.0))
        self.latest = replace(
            self.latest,
            phase=band.name,
            sentence=sentence,
            percent=max(self.latest.percent, place),
            at=now_is,
            since=now_is if begins else self.latest.since,
            counts={**self.latest.counts, **(counts or {})},
            amount=amount or (Amount() if begins else self.latest.amount),
            download=download or self.latest.download,
        )
        if now or begins or time.monotonic() >= self._next:
            self._write()

    def say(self, sentence: str) -> None:
        """Change the sentence alone, at once."""
        self.latest = replace(self.latest, sentence=sentence, at=time.time())
        self._write()

    def count(self, counts: Mapping[str, int]) -> None:
        """Tell what is known of the rows, at once."""
        self.latest = replace(self.latest, counts=counts, at=time.time())
        self._write()

    def heard(self, entity: str, more: Traffic) -> None:
        """Count what was asked of the source of an entity, and what has come."""
        self.traffic[entity] = self.traffic.get(entity, NO_TRAFFIC) + more
        if time.monotonic() >= self._next:
            self._write()

    def log(self, text: str, level: Level = "info") -> None:
        """Add a line to the log; no two lines are of the same moment, and none is of an earlier."""
        after = self.lines[-1].at + AFTER_SECONDS if self.lines else 0.0
        line = Line(max(time.time(), after), level, text)
        self.lines.append(line)
        self._unsent.append(line)
        self._send(self._send_lines)

    def as_json(self) -> list[dict[str, Any]]:
        """Return the log for the run's record."""
        return [asdict(line) for line in self.lines]

    def _send_lines(self) -> None:
        """Send what is new, and with it whatever of this attempt Redis has lost.

        Both become visible together, so whoever reads on from a line has missed none before it.
        """
        name = _log_key(self._run_id)
        with self._redis.pipeline() as pipeline:
            pipeline.watch(name)  # type: ignore[no-untyped-call] # redis-py
            lost = self._last is not None and not pipeline.xrange(name, self._last, self._last)
            pipeline.multi()
            for line in self.lines if lost else self._unsent:
                pipeline.xadd(name, {"line": json.dumps(asdict(line))}, maxlen=LINES)
            pipeline.expire(name, KEPT_SECONDS)
            *_, self._last, _ = pipeline.execute()
        self._unsent.clear()

    def _write(self) -> None:
        self._next = time.monotonic() + WRITE_SECONDS
        traffic = sum(self.traffic.values(), NO_TRAFFIC)
        news = replace(self.latest, traffic=traffic).to_text()
        self._send(partial(self._redis.set, key(self._run_id), news, ex=KEPT_SECONDS))

    def _send(self, send: Callable[[], object]) -> None:
        """Go on without Redis, and leave it alone for a while where it does not answer."""
        if not self._breaker.is_open:
            try:
                send()
            except RedisError:
                self._breaker.open()


def key(run_id: int) -> str:
    """Return the key under which a run's progress is kept."""
    return f"sync:progress:{run_id}"


def read(redis: Redis, run_ids: Sequence[int]) -> tuple[dict[int, Progress], dict[int, list[Line]]]:
    """Read what is known of these runs in one round trip: their progress, and their logs.

    A log has its newest line last. Raises RedisError.
    """
    with redis.pipeline(transaction=False) as pipeline:
        for run_id in run_ids:
            pipeline.get(key(run_id))
            pipeline.xrange(_log_key(run_id))
        answers: list[Any] = pipeline.execute(raise_on_error=False)  # one key may be no text
    if wrong := next((one for one in answers if _is_trouble(one)), None):
        raise wrong
    news = zip(run_ids, map(_progress, answers[::2]), strict=True)
    logs = zip(run_ids, map(_lines, answers[1::2]), strict=True)
    return {run_id: found for run_id, found in news if found}, dict(logs)


def _is_trouble(answer: object) -> bool:
    """Return whether Redis is in trouble, and not only what is kept under one key."""
    return isinstance(answer, RedisError) and not str(answer).startswith("WRONGTYPE")


def news(redis: Redis, run_ids: Sequence[int]) -> dict[int, Progress]:
    """Read the progress of these runs alone, where it is known. Raises RedisError."""
    texts: list[Any] = redis.mget(map(key, run_ids)) if run_ids else []
    found = zip(run_ids, map(_progress, texts), strict=True)
    return {run_id: told for run_id, told in found if told}


def as_text(lines: Sequence[Line], zone: tzinfo = UTC, form: str = "%Y-%m-%d %H:%M:%S %z") -> str:
    """Write a log as text, one line each; `form` is that of the time."""
    return "\n".join(
        f"{datetime.fromtimestamp(line.at, zone):{form}}  {_category(line)}{_in_one(line.text)}"
        for line in lines
    )


def _category(line: Line) -> str:
    return "" if line.level == "info" else f"{line.level.upper()}  "


def _in_one(text: str) -> str:
    return " ".join(text.split())


def _log_key(run_id: int) -> str:
    return f"sync:log:{run_id}"
