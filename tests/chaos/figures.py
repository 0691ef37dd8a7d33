"""How long it took: the figures of a chaos run, and the bounds that were promised."""

import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sync_core.runs import lease, recovery
from tests.chaos.faults import POSTGRES, Fault
from tests.support import watching

AFTERMATH = 15  # seconds after a restart of Postgres in which nobody can be called dead
RESTARTS = ("Postgres killed", "Postgres restarted", "Postgres down")
TICK_SECONDS = 2  # maintenance looks every second
KILLED, STOPPED = ("work-horse killed",), ("worker stopped",)
LOST = (
    "worker killed",
    "worker and work-horse killed",
    "work-horse frozen",
    "worker and work-horse frozen",
)


@dataclass(frozen=True)
class Figure:
    """Seconds that something took, each time, and how many of them are promised at most."""

    name: str
    seconds: Sequence[float]
    bound: float | None = None

    def __str__(self) -> str:
        if not self.seconds:
            return f"{self.name:45} -"
        half, most = statistics.median(self.seconds), max(self.seconds)
        told = (
            f"{self.name:45} {len(self.seconds):4} times, median {half:6.2f} s, most {most:6.2f} s"
        )
        return told + (f", at most {self.bound} s promised" if self.bound else "")

    @property
    def broken(self) -> bool:
        """Return whether a promise was broken."""
        return self.bound is not None and any(seconds > self.bound for seconds in self.seconds)


@dataclass(frozen=True)
class Ended:
    """An attempt that was interrupted."""

    work_horse: int
    start: float  # seconds since 1970
    end: float
    how: str


def figures(
    faults: Sequence[Fault], waits: Iterable[tuple[float, float]], limit: float
) -> list[Figure]:
    """Return all figures; bounded ones leave out what overlaps with faults that excuse it."""
    ended = _interrupted()
    pressed = [seconds for at, seconds in waits if _calm(faults, at, seconds, 3, POSTGRES)]
    return [
        Figure("a killed work-horse is seen", _seen(faults, ended, KILLED), 1),
        Figure("a dead or frozen worker is seen", _seen(faults, ended, LOST), 15),
        Figure("a stopped worker gives its run back", _seen(faults, ended, STOPPED), 10),
        Figure("an interrupted run goes on", _seconds(GOES_ON)),
        Figure("a queued run is pushed again after a wipe", list(_pushed_again(faults)), 5),
        Figure(
            "a cancel is obeyed, or enforced",
            list(_cancels(faults)),
            recovery.CANCEL_SECONDS + TICK_SECONDS,
        ),
        Figure("a start is answered", pressed, 2),
        Figure("a run is claimed, where nothing is amiss", list(_claims(faults))),
        Figure("a run is active", _seconds(ACTIVE), limit + 15),
    ]


def _calm(
    faults: Sequence[Fault], at: float, seconds: float, aftermath: float, *names: str
) -> bool:
    """Return whether no fault of these names happened in a time, or just before it."""
    return not any(
        fault.name.startswith(names) and at - aftermath < fault.end and fault.start < at + seconds
        for fault in faults
    )


def _interrupted() -> list[Ended]:
    rows = watching.ask(
        "select worker, cast(extract(epoch from started_at) as float),"
        " cast(extract(epoch from ended_at) as float), ended from attempts"
        " where ended_at is not null and ended like 'its %'"
    )
    return [Ended(int(name.rpartition(":")[2]), *rest) for name, *rest in rows]


def _seen(faults: Sequence[Fault], ended: Sequence[Ended], names: tuple[str, ...]) -> list[float]:
    """Return the seconds from such a fault to the end of the attempt that it hit."""
    found = []
    for attempt in ended:
        fault = _first_hit(faults, attempt)
        if fault and fault.name in names:
            seconds = attempt.end - fault.start
            if _somebody_looked(faults, fault.start, seconds):
                told = f"{fault.name} at {fault.start:.2f}, {attempt.how} {seconds:.2f} s later"
                print(told, file=sys.stderr)  # which is the log
                found.append(seconds)
    return found


def _somebody_looked(faults: Sequence[Fault], at: float, seconds: float) -> bool:
    return _calm(faults, at, seconds, 3, POSTGRES, "all maintenance frozen") and _calm(
        faults, at, seconds, AFTERMATH, *RESTARTS
    )


def _first_hit(faults: Sequence[Fault], attempt: Ended) -> Fault | None:
    """Return the first fault that the attempt did not outlive."""
    hits = [
        fault
        for fault in faults
        if fault.work_horse == attempt.work_horse
        and attempt.start < fault.start < attempt.end
        and not _outlived(fault, attempt)
    ]
    return min(hits, key=lambda fault: fault.start, default=None)


def _outlived(fault: Fault, attempt: Ended) -> bool:
    """Return whether the attempt was thawed while it still had its lease: it just went on."""
    lasted = fault.end - fault.start
    return "frozen" in fault.name and lasted < lease.LEASE_SECONDS and fault.end < attempt.end


def _pushed_again(faults: Sequence[Fault]) -> Iterator[float]:
    others = (POSTGRES, "Redis down", "Redis frozen", "Redis answers", "all maintenance frozen")
    for fault in faults:
        if fault.name == "Redis wiped":
            for seconds in _seconds(PUSHED_AGAIN, at=fault.end):
                if _calm(faults, fault.start, seconds, 3, *others):
                    yield seconds


def _cancels(faults: Sequence[Fault]) -> Iterator[float]:
    for at, seconds in watching.ask(CANCELS):
        if _calm(faults, at, seconds, 3, POSTGRES, "all maintenance frozen"):
            yield seconds


def _claims(faults: Sequence[Fault]) -> Iterator[float]:
    for at, seconds in watching.ask(CLAIMS):
        if _calm(faults, at, seconds, 2, ""):
            yield seconds


def _seconds(query: str, **facts: object) -> list[float]:
    return [seconds for (seconds,) in watching.ask(query, **facts) if seconds is not None]


GOES_ON = """
select cast(extract(epoch from b.started_at - a.ended_at) as float)
from attempts a join attempts b on b.run_id = a.run_id and b.attempt = a.attempt + 1
where a.ended <> 'waiting'
"""
ACTIVE = """
select cast(extract(epoch from finished_at - active_since) as float) from runs
where finished_at is not null and not exists (
    select from actions where run_id = runs.id and kind = 'declined')
"""
PUSHED_AGAIN = """
select cast(extract(epoch from (
    select min(at) from chaos.changes c where c.run_id = q.run_id and c.id > q.id
        and extract(epoch from at) > :at)) as float) - :at
from (
    select distinct on (run_id) * from chaos.changes
    where extract(epoch from at) < :at order by run_id, id desc) q
where status = 'queued' and pushed_at is not null
"""
CANCELS = """
select cast(extract(epoch from at) as float), cast(extract(epoch from finished_at - at) as float)
from chaos.changes join runs on runs.id = run_id where cancel and finished_at > at
"""
CLAIMS = """
select cast(extract(epoch from queued_at) as float),
    cast(extract(epoch from started_at - queued_at) as float)
from runs where attempt = 1 and started_at is not null and pushed_at is not null
"""
