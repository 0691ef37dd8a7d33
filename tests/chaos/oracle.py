"""What each sync has done, row by row, against what it should have done."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.sheets import Effect, Sheet, State, Version
from tests.support import watching

Change = tuple[str, str]  # the kind of an outcome, and its key
Outcomes = Mapping[tuple[int, str], tuple[str, Any]]  # row number, kind: key, changes
SLACK = 0.1  # seconds between two clocks


@dataclass(frozen=True)
class Sync:
    """A run that has ended, as far as it concerns a table."""

    id: int
    start: float  # seconds since 1970
    end: float
    applied: bool
    undoes: int | None = None  # the sync that it takes back


def wrong_effects(sheet: Sheet, syncs: Sequence[Sync]) -> Iterator[str]:
    """Follow a table from sync to sync: each has applied one version of the sheet, all of it."""
    name = sheet.entity.name
    states: list[State] = [{}]
    known: dict[int, list[tuple[State, Effect]]] = {}  # of each sync: what it may have done
    oldest = 0  # no sync reads an older version than the one before it
    for sync in syncs:
        found = (_outcomes(sync.id, sheet), _counts(sync.id, sheet))
        if not sync.applied:
            if any(found):
                yield f"run {sync.id} came to nothing, and has told of {name}"
            continue
        if sync.undoes:
            undone = [
                after
                for state in states
                for before, effect in known[sync.undoes]
                if (after := _taken_back(before, effect, state, _changes(sync.id, sheet)))
                is not None
            ]
            if not undone:
                yield f"run {sync.id} took {sync.undoes} back wrongly: {_changes(sync.id, sheet)}"
                return
            states = _different(undone)
            continue
        there = sheet.versions(sync.start - SLACK, sync.end)
        versions = [v for v in there if v.number >= oldest]
        effects = [
            (v.number, s, _damaged(sheet, v, s, *found) if v.damaged else sheet.effect(v.number, s))
            for v in versions
            for s in states
        ]
        fitting = [(v, s, e) for v, s, e in effects if e and (e.outcomes, e.counts) == found]
        if not fitting:
            expected = [dict(effect.counts) for _, _, effect in effects if effect]
            yield f"run {sync.id} did to {name}: {dict(found[1])}, instead of one of {expected}"
            return
        known[sync.id] = [(state, effect) for _, state, effect in fitting]
        states = _different(effect.after for _, _, effect in fitting)
        oldest = min(version for version, _, _ in fitting)
    if (stored := _stored(sheet)) not in states:
        wrong = dict(set(stored.items()) ^ set(states[0].items()))
        yield f"{name} of organization {sheet.organization_id} differ in {wrong}"


def _damaged(
    sheet: Sheet, version: Version, before: State, told: Outcomes, counts: Counter[str]
) -> Effect | None:
    """Return the effect that is told, if it may be that of a damaged version.

    Some of its rows may be missing or have failed; whatever it did must be what these rows say.
    """
    whole = sheet.effect(version.number, before)
    changes = {k: v for k, v in told.items() if k[1] in {"created", "updated"}}
    if not counts["failed"] or any(whole.outcomes.get(k) != v for k, v in changes.items()):
        return None
    keys = [key for key, _ in changes.values()]
    after = {**before, **{key: whole.after[key] for key in keys}}
    return Effect(after, told, counts)


def _different(states: Iterable[State]) -> list[State]:
    found: list[State] = []
    for state in states:
        if state not in found:
            found.append(state)
    return found


def _taken_back(before: State, done: Effect, now: State, told: set[Change]) -> State | None:
    """Return what a table becomes where a sync is taken back; None where `told` is otherwise."""
    after, expected = dict(now), set[Change]()
    for kind, (key, _) in ((kind, told) for (_, kind), told in done.outcomes.items()):
        if kind not in {"created", "updated"} or now.get(key) == before.get(key):
            continue
        if now.get(key) != done.after[key]:
            expected.add(("skipped", key))
        elif key in before:
            expected.add(("updated", key))
            after[key] = before[key]
        else:
            expected.add(("removed", key))
            del after[key]
    return after if expected == told else None


def _changes(run_id: int, sheet: Sheet) -> set[Change]:
    rows = watching.ask(
        "select kind, key from outcomes where run_id = :r and entity = :e",
        r=run_id,
        e=sheet.entity.name,
    )
    return {(kind, key) for kind, key in rows}


def _outcomes(run_id: int, sheet: Sheet) -> Outcomes:
    column = _column(sheet, sheet.kind.value)
    rows = watching.ask(
        "select row_number, kind, key, changes from outcomes where run_id = :r and entity = :e",
        r=run_id,
        e=sheet.entity.name,
    )
    told = {}
    for number, kind, key, changes in rows:
        odd = changes is not None and set(changes) != {column}
        told[number, kind] = (key, changes if odd or changes is None else changes[column])
    return told


def _counts(run_id: int, sheet: Sheet) -> Counter[str]:
    kinds = ("created", "updated", "unchanged", "removed", "skipped", "failed")
    rows = watching.ask(
        f"select {', '.join(kinds)} from tallies where run_id = :r and entity = :e",
        r=run_id,
        e=sheet.entity.name,
    )
    return +Counter(dict(zip(kinds, rows[0], strict=True))) if rows else Counter()


def _stored(sheet: Sheet) -> State:
    key, value = _column(sheet, sheet.kind.key), _column(sheet, sheet.kind.value)
    found = watching.ask(
        f'select "{key}", "{value}"::text from {sheet.entity.name} where organization_id = :o',
        o=sheet.organization_id,
    )
    template = sheet.kind.told.replace("{}", "", 1) if sheet.entity.name == "schedules" else ""
    return {key + template: value for key, value in found}


def _column(sheet: Sheet, label: str) -> str:
    return next(f.column for f in sheet.entity.fields if f.label == label)
