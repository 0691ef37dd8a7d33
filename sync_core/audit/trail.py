"""The audit trail: every run and every action in one list, in the order of what happened.

The newest is the first. A run that has ended stands at its end, one that has not at its request.

The list, its count and its file are made of the same two queries, so they cannot disagree.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import searching, tables
from sync_core.foundation.vocabulary import APPLIED, ORIGINS, ActionKind
from sync_core.organizations import actions
from sync_core.organizations.actions import Detail
from sync_core.runs import filters, undos
from sync_core.runs.filters import Filter
from sync_core.runs.run import Undone, nothing_undone, worked

LAST = 10_000  # entries that a search looks through before it asks its index
FREQUENT = 0.1  # share of the last entries that has a word for which no index is asked
MOST = 10_000  # entries that are counted, and paged through; a file holds them all
_RUNS, _ACTIONS = tables.runs.c, tables.actions.c


@dataclass(frozen=True)
class Entry:
    """A run or an action, as the list shows it."""

    entry: str  # "run" or "action"
    id: int
    organization_id: int
    at: datetime
    what: str  # the run's status, or the action's kind
    kind: str | None  # of the run
    trigger: str | None
    resource: str | None
    name: str
    email: str
    team: str
    run_id: int | None
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int | None
    error_code: str | None
    message: str
    log_message: str
    detail: Detail | None  # of an action
    has_ended: bool = True  # whether of an export that began its end is known, too
    undone: Undone | None = None  # a run
    worked: float | None = None  # seconds of its attempts, where its plan waited for a person
    nothing_undone: bool = False  # an undo that put nothing back

    @property
    def origin(self) -> str | None:
        """Return how a run came about: "retry" or "undo", else its trigger."""
        return self.kind if self.kind in ORIGINS else self.trigger

    @property
    def seconds(self) -> float | None:
        """Return the seconds of work on a run, without its waits."""
        if self.worked is not None:
            return self.worked if self.finished_at else None
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


def _null(kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.null(), kind)


_TEXT, _MOMENT = sa.Text(), sa.DateTime(timezone=True)
_OF_RUN: dict[str, sa.ColumnElement[Any]] = {
    "entry": sa.literal_column("'run'", _TEXT),
    "id": _RUNS.id,
    "organization_id": _RUNS.organization_id,
    "at": filters.HAPPENED,
    "what": _RUNS.status,
    "kind": _RUNS.kind,
    "trigger": _RUNS.trigger,
    "resource": _RUNS.resource,
    "name": _RUNS.requested_by,
    "email": _RUNS.requested_email,
    "team": _RUNS.requested_team,
    "run_id": _RUNS.id,
    "started_at": _RUNS.started_at,
    "finished_at": _RUNS.finished_at,
    "attempt": _RUNS.attempt,
    "error_code": _RUNS.error_code,
    "message": _RUNS.message,
    "log_message": _RUNS.log_message,
    "detail": _null(_ACTIONS.detail.type),
    "worked": worked(),
    "nothing_undone": nothing_undone(),
}
_OF_ACTION: dict[str, sa.ColumnElement[Any]] = {
    "entry": sa.literal_column("'action'", _TEXT),
    "id": _ACTIONS.id,
    "organization_id": _ACTIONS.organization_id,
    "at": _ACTIONS.at,
    "what": _ACTIONS.kind,
    "kind": _null(_TEXT),
    "trigger": _null(_TEXT),
    "resource": _ACTIONS.resource,
    "name": _ACTIONS.name,
    "email": _ACTIONS.email,
    "team": _ACTIONS.team,
    "run_id": _ACTIONS.run_id,
    "started_at": _null(_MOMENT),
    "finished_at": _null(_MOMENT),
    "attempt": _null(sa.Integer()),
    "error_code": _null(_TEXT),
    "message": sa.literal_column("''", _TEXT),
    "log_message": sa.literal_column("''", _TEXT),
    "detail": _ACTIONS.detail,
    "worked": _null(sa.Float()),
    "nothing_undone": sa.false(),
}


def conditions_on_runs(wanted: Filter) -> filters.Conditions:
    """Return the conditions on the runs of the trail."""
    return filters.runs(wanted, filters.HAPPENED)


@dataclass(frozen=True)
class _Part:
    """The runs, or the actions, of one organization that a filter finds."""

    columns: Mapping[str, sa.ColumnElement[Any]]
    conditions: Callable[[Filter], filters.Conditions]
    words: sa.ColumnElement[str]
    wanted: Filter

    def select(self, wanted: Filter, *more: sa.ColumnElement[Any]) -> sa.Select[Any]:
        named = (column.label(name) for name, column in self.columns.items())
        return sa.select(*named, *more).where(*self.conditions(wanted))

    def after(self, at: datetime | None) -> filters.Conditions:
        return [] if at is None else [self.columns["at"] >= at]

    def unsearched(self) -> sa.Select[Any]:
        """Select what the rest of the filter finds, with the words that are searched."""
        return self.select(replace(self.wanted, search=""), self.words.label("words"))

    def hits(self, within: sa.FromClause) -> filters.Conditions:
        return searching.looked_up(within.c.words, self.wanted.search)


def _parts(wanted: Filter) -> Iterator[_Part]:
    """Return the parts of the list: each finds its newest entries by an index, at once."""
    for organization_id in wanted.organizations:
        one = replace(wanted, organizations=(organization_id,))
        yield _Part(_OF_RUN, conditions_on_runs, filters.RUN_WORDS, one)
        yield _Part(_OF_ACTION, filters.actions, filters.ACTION_WORDS, one)


def entries(wanted: Filter) -> sa.CompoundSelect[Any]:
    """Return the query of all entries that the filter finds, in no order."""
    nothing = _Part(_OF_RUN, conditions_on_runs, filters.RUN_WORDS, wanted)  # of no organization
    return sa.union_all(*(part.select(part.wanted) for part in list(_parts(wanted)) or [nothing]))


def read(connection: Connection, wanted: Filter, limit: int, offset: int = 0) -> list[Entry]:
    """Read a window of the entries, newest first."""
    _plan_each_time(connection)
    needed = limit + offset
    found: list[sa.RowMapping] = []
    for part in _parts(wanted):
        oldest = found[-1]["at"] if len(found) == needed else None  # older ones are not wanted
        found += _newest(connection, part, needed, oldest)
        found.sort(key=lambda row: (row["at"], row["id"], row["entry"]), reverse=True)
        del found[needed:]
    window = [_entry(row) for row in found[offset:]]
    return _with_undos(connection, _with_ends(connection, window))


def action(connection: Connection, organizations: Sequence[int], action_id: int) -> Entry | None:
    """Read an action of one of these organizations."""
    which = (_ACTIONS.id == action_id, _ACTIONS.organization_id.in_(organizations))
    named = (column.label(name) for name, column in _OF_ACTION.items())
    row = connection.execute(sa.select(*named).where(*which)).mappings().one_or_none()
    return _entry(row) if row else None


def _entry(row: sa.RowMapping) -> Entry:
    is_action = row["detail"] is not None
    detail = actions.read(row["what"], row["detail"]) if is_action else None
    return Entry(**{**row, "detail": detail})


def _with_ends(connection: Connection, found: Sequence[Entry]) -> list[Entry]:
    """Tell of exports that began whether their ends are recorded."""
    began = {one.id: one for one in found if one.what == ActionKind.BEGAN_EXPORT}
    if not began:
        return list(found)
    oldest = min(one.at for one in began.values())
    link = sa.cast(_ACTIONS.detail["began"].astext, sa.BigInteger)
    ends = sa.select(link).where(
        _ACTIONS.organization_id.in_({one.organization_id for one in began.values()}),
        _ACTIONS.kind == ActionKind.EXPORTED,
        _ACTIONS.at >= oldest,
    )
    ended = set(connection.execute(ends).scalars())
    return [replace(one, has_ended=one.id not in began or one.id in ended) for one in found]


def _with_undos(connection: Connection, found: Sequence[Entry]) -> list[Entry]:
    """Tell of runs which undo took them back."""
    applied = [one for one in found if one.entry == "run" and one.what in APPLIED]
    if not applied:
        return list(found)
    whose = {one.organization_id for one in applied}
    undone = undos.standing(connection, whose, min(one.id for one in applied))
    return [replace(one, undone=undone.get(one.id)) if one.entry == "run" else one for one in found]


def _newest(
    connection: Connection, part: _Part, limit: int, oldest: datetime | None
) -> Sequence[sa.RowMapping]:
    """Read the newest entries of a part.

    How often a searched word occurs, nobody knows. So the last entries are looked through first;
    where these do not suffice, it is rare, and all that have it are taken and put in order.
    """
    after = part.after(oldest)
    if not part.wanted.search.strip():
        return _ordered(connection, part.select(part.wanted).where(*after), limit)
    last = _in_order(part.unsearched().where(*after)).limit(LAST).subquery()
    names = [last.c[name] for name in part.columns]
    found = _ordered(connection, sa.select(*names).where(*part.hits(last)), limit)
    if len(found) == limit:
        return found
    every = part.select(part.wanted).where(*after).offset(0).subquery()  # planned by itself
    return _ordered(connection, sa.select(every), limit)


def _in_order(query: sa.Select[Any]) -> sa.Select[Any]:
    return query.order_by(sa.desc("at"), sa.desc("id"))


def _ordered(connection: Connection, query: sa.Select[Any], limit: int) -> Sequence[sa.RowMapping]:
    return connection.execute(_in_order(query).limit(limit)).mappings().all()


def count(connection: Connection, wanted: Filter, most: int | None = MOST) -> int:
    """Count the entries, to `most` at most; with one more where there are more."""
    _plan_each_time(connection)
    total = 0
    for part in _parts(wanted):
        some = _searched(connection, part)
        if most is not None:
            some = some.limit(most + 1 - total)
        total += connection.execute(
            sa.select(sa.func.count()).select_from(some.subquery())
        ).scalar_one()
        if most is not None and total > most:
            break
    return total


def _searched(connection: Connection, part: _Part) -> sa.Select[Any]:
    """Return the query of a one for each entry; of frequent words, it needs not find them all."""
    if part.wanted.search.strip():
        last = _in_order(part.unsearched()).limit(LAST).subquery()
        here = sa.select(sa.func.count()).where(*part.hits(last))
        if connection.execute(here).scalar_one() > LAST * FREQUENT:
            every = part.unsearched().subquery()
            return sa.select(sa.literal(1)).where(*part.hits(every))
    return part.select(part.wanted).with_only_columns(sa.literal(1))


def _plan_each_time(connection: Connection) -> None:
    """Let Postgres see the values: one plan for all of them would be slow for most."""
    connection.execute(
        sa.text("set local plan_cache_mode = force_custom_plan; set local jit = off")
    )


def choices(connection: Connection, organizations: Sequence[int]) -> dict[str, set[str]]:
    """List the values that occur in the trail, by the part of the filter that asks for them."""
    found: dict[str, set[str]] = {}
    for name, columns in _CHOICES.items():
        values = (_distinct(connection, column, organizations) for column in columns)
        found[name] = {value for some in values for value in some if value}
    return found


_CHOICES: dict[str, tuple[sa.Column[Any], ...]] = {
    "resource": (_RUNS.resource, _ACTIONS.resource),
    "trigger": (_RUNS.trigger,),
    "person": (_RUNS.requested_email, _ACTIONS.email),
    "team": (_RUNS.requested_team, _ACTIONS.team),
    "error": (_RUNS.error_code,),
    "action": (_ACTIONS.kind,),
}


def _distinct(
    connection: Connection, column: sa.Column[Any], organizations: Sequence[int]
) -> Iterator[str]:
    """List the values of a column, by jumping from one to the next in its index."""
    mine = column.table.c.organization_id
    for organization_id in organizations:
        least = sa.select(sa.func.min(column)).where(mine == organization_id)
        value = sa.select(least.scalar_subquery().label("value")).cte("value", recursive=True)
        more = least.where(column > value.c.value).scalar_subquery()
        every = value.union_all(sa.select(more).where(value.c.value.is_not(None)))
        found = connection.execute(sa.select(every.c.value).where(every.c.value.is_not(None)))
        yield from found.scalars()
