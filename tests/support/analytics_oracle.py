"""The figures of analytics, found slowly: one run after the other, in plain Python."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sync_core.runs.filters import Filter
from tests.support.histories import History, Past

JUDGED = ("completed", "partial", "failed", "timed_out")
T = TypeVar("T")
K = TypeVar("K")


def wanted_runs(history: History, wanted: Filter) -> list[Past]:
    """Look at each run, and ask whether the filter wants it."""
    return [run for run in history.runs if _is_wanted(run, wanted)]


def _is_wanted(run: Past, wanted: Filter) -> bool:
    _, email, team = run.person
    text = "\n".join((run.resource, *run.person[:2], f"{run.resource} {run.status}")).lower()
    return (
        run.organization_id in wanted.organizations
        and (wanted.since is None or run.queued_at >= wanted.since)
        and (wanted.until is None or run.queued_at < wanted.until)
        and (not wanted.resource or run.resource in wanted.resource)
        and (not wanted.status or run.status in wanted.status)
        and (not wanted.trigger or run.origin in wanted.trigger)
        and (not wanted.person or email in wanted.person)
        and (not wanted.team or team in wanted.team)
        and (not wanted.error or run.error in wanted.error)
        and all(word.lower() in text for word in wanted.search.split())
    )


def quantile(values: Iterable[float], part: float) -> float | None:
    """Return the value at this part of the sorted ones, between two if need be."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = part * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def timed(runs: Iterable[Past]) -> list[float]:
    return [run.seconds for run in runs if run.status == "completed"]


def grouped(runs: Iterable[Past], key: Callable[[Past], K]) -> dict[K, list[Past]]:
    groups: dict[K, list[Past]] = defaultdict(list)
    for run in runs:
        groups[key(run)].append(run)
    return groups


def begin_of(at: datetime, zone: ZoneInfo, unit: str) -> datetime:
    """Go back from the moment to the begin of its day, or hour, on the clocks of the zone.

    Second by second would be surest; minute by minute is as sure for the zones of these tests.
    """
    local = at.astimezone(zone)
    wall = (local.date(), local.hour if unit == "hour" else None, _fold(at, zone, unit))
    step = at.replace(second=0, microsecond=0)
    while True:
        before = step - timedelta(minutes=1)
        there = before.astimezone(zone)
        hour = there.hour if unit == "hour" else None
        if (there.date(), hour, _fold(before, zone, unit)) != wall:
            return step
        step = before


def _fold(at: datetime, zone: ZoneInfo, unit: str) -> timedelta | None:
    return at.astimezone(zone).utcoffset() if unit == "hour" else None


def recovery(history: History, runs: Iterable[Past]) -> list[float | None]:
    """Give, for each failure, the seconds until the next good end of that resource."""
    found: list[float | None] = []
    for run in runs:
        if run.status in {"failed", "timed_out"}:
            assert run.finished_at
            ends = [
                later.finished_at
                for later in history.runs
                if (later.organization_id, later.resource) == (run.organization_id, run.resource)
                and later.status in {"completed", "partial"}
                and later.kind == "sync"
                and later.finished_at
                and later.finished_at > run.finished_at
            ]
            found.append((min(ends) - run.finished_at).total_seconds() if ends else None)
    return found


def kept_fresh(history: History, wanted: Filter, now: datetime) -> dict[str, tuple[float, float]]:
    """Go through the period a minute at a time; gives known and fresh minutes by resource."""
    assert wanted.since
    assert wanted.until
    sums: dict[str, list[float]] = {}
    for (organization_id, resource), runs in grouped(
        (run for run in history.runs if run.status in {"completed", "partial"}),
        lambda run: (run.organization_id, run.resource),
    ).items():
        if organization_id not in wanted.organizations:
            continue
        if wanted.resource and resource not in wanted.resource:
            continue
        ends = sorted(r.finished_at for r in runs if r.kind == "sync" and r.finished_at)
        promise = timedelta(hours=history.promises.get((organization_id, resource), 24))
        at, end = wanted.since, min(wanted.until, now)
        total = sums.setdefault(resource, [0, 0])
        while at < end:
            newest = max((moment for moment in ends if moment <= at), default=None)
            if newest is not None:
                total[0] += 1
                total[1] += at - newest < promise
            at += timedelta(minutes=1)
    return {name: (known, fresh) for name, (known, fresh) in sums.items() if known}


def reasons_of_rows(runs: Iterable[Past]) -> dict[str, tuple[int, int]]:
    """Count the failed rows, and the runs, by code."""
    rows, where = Counter[str](), defaultdict[str, set[int]](set)
    for run in runs:
        for bad in run.bad:
            for code in set(bad.codes):
                rows[code] += 1
                where[code].add(run.id)
    return {code: (count, len(where[code])) for code, count in rows.items()}


def rows_of(runs: Iterable[Past], code: str) -> list[tuple[int, str, int]]:
    """List the failed rows that carry the code, of the newest run first."""
    found = [
        (run.id, bad.entity, bad.row_number) for run in runs for bad in run.bad if code in bad.codes
    ]
    return sorted(found, key=lambda row: (-row[0], row[1], row[2]))


def offenders(runs: Iterable[Past]) -> dict[tuple[int, str, str], int]:
    """Count the runs in which each row failed, where there are three or more."""
    where = defaultdict[tuple[int, str, str], set[int]](set)
    for run in runs:
        for bad in run.bad:
            where[run.organization_id, bad.entity, bad.key or bad.name].add(run.id)
    return {who: len(found) for who, found in where.items() if len(found) >= 3}


def failing_now(history: History) -> set[tuple[int, str, str]]:
    """List the rows that failed in the last sync or retry of their resource that was applied."""
    good = [r for r in history.runs if r.status in {"completed", "partial"} and r.kind != "undo"]
    last = {(run.organization_id, run.resource): run for run in sorted(good, key=lambda r: r.id)}
    return {
        (run.organization_id, bad.entity, bad.key or bad.name)
        for run in last.values()
        for bad in run.bad
    }


def marks(
    history: History, runs: Sequence[Past], wanted: Filter, zone: ZoneInfo
) -> set[tuple[datetime, str, str]]:
    """List the changes of settings, and the days whose last good run had other headers."""
    found = {
        (setting.at, setting.resource, setting.what)
        for setting in history.settings
        if setting.resource
        and setting.organization_id in wanted.organizations
        and (wanted.since or setting.at)
        <= setting.at
        < (wanted.until or datetime.max.replace(tzinfo=UTC))
        and (not wanted.resource or setting.resource in wanted.resource)
    }
    good = [run for run in runs if run.status in {"completed", "partial"}]
    for (_, resource), some in grouped(good, lambda r: (r.organization_id, r.resource)).items():
        before: dict[str, list[str]] = {}
        for day, of_day in sorted(
            grouped(some, lambda r: begin_of(r.queued_at, zone, "day")).items()
        ):
            last = max(of_day, key=lambda run: run.id)
            for entity, headers in last.headers.items():
                if before.get(entity, headers) != headers:
                    found.add((day, resource, f"the headers of {entity}"))
                before[entity] = headers
    return found
