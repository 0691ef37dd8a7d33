"""What all ended runs together amount to, for a monitor that asks again and again.

Each time only those are counted that have ended since: the audit's chain has a link for each of
them, numbered in the order of their commits, so none is missed and none is counted twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping

from sync_core.analytics.definitions import RUNS, SECONDS, TALLIES, WAITED, ask
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import ACTIVE, OutcomeKind, RunStatus

TOOK = (1, 5, 15, 60, 300, 900, 1800, 3600)  # seconds, the upper bounds of durations
QUEUED = (0.1, 0.5, 1, 5, 30, 60, 300, 900)  # likewise of waits in the queue

_LINKS, _OF = tables.links.c, tables.organizations.c
_WHOSE = (RUNS.organization_id, RUNS.resource)


class Group(NamedTuple):
    """The runs of which a figure is."""

    organization_id: int
    resource: str
    what: str = ""  # a status, or an outcome of rows


@dataclass
class Spread:
    """How long something took: how often up to each bound, and above all of them, and the sum."""

    counts: list[int]
    seconds: float = 0.0


@dataclass
class Totals:
    """Counts that only rise."""

    runs: Counter[Group] = field(default_factory=Counter)  # by how they ended
    rows: Counter[Group] = field(default_factory=Counter)  # by outcome
    requests: Counter[Group] = field(default_factory=Counter)  # of sources
    bytes: Counter[Group] = field(default_factory=Counter)  # that came of them
    waits: Counter[Group] = field(default_factory=Counter)  # for sources, in ms
    took: dict[Group, Spread] = field(default_factory=dict)
    queued: dict[Group, Spread] = field(default_factory=dict)
    _counted: dict[int, int] = field(default_factory=dict)  # up to which link of an organization
    _lock: Lock = field(default_factory=Lock)

    def count_on(self, connection: Connection) -> None:
        """Count the runs that have ended since the last time; all of them or, if it fails, none."""
        with self._lock:
            heads = _heads(connection)
            since = {o: (self._counted.get(o, 0), head) for o, head in heads.items()}
            ended = _ended({o: span for o, span in since.items() if span[0] < span[1]})
            if ended is None:
                return
            found = [
                ask(connection, query) for query in (_runs(ended), _rows(ended), _asked(ended))
            ]
            for add, rows in zip(
                (self._add_run, self._add_rows, self._add_asked), found, strict=True
            ):
                for row in rows:
                    add(Group(row["organization_id"], row["resource"]), row)
            self._counted |= heads

    def _add_run(self, group: Group, row: RowMapping) -> None:
        self.runs[group._replace(what=row["status"])] += row["runs"]
        for spreads, bounds, name in ((self.took, TOOK, "took"), (self.queued, QUEUED, "queued")):
            if row[name] is not None:
                spread = spreads.setdefault(group, Spread([0] * (len(bounds) + 1)))
                spread.counts[row[f"{name}_place"]] += row["runs"]
                spread.seconds += row[name]

    def _add_rows(self, group: Group, row: RowMapping) -> None:
        for kind in OutcomeKind:
            self.rows[group._replace(what=kind)] += int(row[kind])

    def _add_asked(self, group: Group, row: RowMapping) -> None:
        self.requests[group] += int(row["requests"])
        self.bytes[group] += int(row["bytes"])
        self.waits[group] += round(row["waited"] * 1000)


def _heads(connection: Connection) -> dict[int, int]:
    """Return the number of the last link of each organization."""
    last = sa.select(sa.func.max(_LINKS.number)).where(_LINKS.organization_id == _OF.id)
    rows = connection.execute(sa.select(_OF.id, last.scalar_subquery()))
    return {of: head for of, head in rows if head is not None}


def _ended(spans: Mapping[int, tuple[int, int]]) -> sa.Subquery | None:
    """Select the runs whose links have these numbers, above the first and up to the last."""
    if not spans:
        return None
    span = sa.values(
        sa.column("of", sa.BigInteger),
        sa.column("above", sa.BigInteger),
        sa.column("up_to", sa.BigInteger),
        name="span",
    ).data([(of, *numbers) for of, numbers in spans.items()])
    links = (
        sa.select(_LINKS.subject_id.label("id"))
        .join(span, _LINKS.organization_id == span.c.of)
        .where(
            _LINKS.kind == "run",
            _LINKS.number > span.c.above,
            _LINKS.number <= span.c.up_to,
        )
    )
    return links.subquery("ended")


def _runs(ended: sa.Subquery) -> sa.Select[Any]:
    took, queued = _place(SECONDS, TOOK), _place(WAITED, QUEUED)
    by = (*_WHOSE, RUNS.status, took.label("took_place"), queued.label("queued_place"))
    return (
        sa.select(
            *by,
            sa.func.count().label("runs"),
            sa.func.sum(SECONDS).label("took"),
            sa.func.sum(WAITED).label("queued"),
        )
        .join(ended, ended.c.id == RUNS.id)
        .group_by(*by)
    )


def _place(seconds: sa.ColumnElement[float], bounds: Sequence[float]) -> sa.ColumnElement[int]:
    """Return the place of the first bound that is not below, or the one after the last."""
    below = sa.cast(sa.literal([*map(float, bounds)], sa.ARRAY(sa.Float)), sa.ARRAY(sa.Float))
    return sa.func.width_bucket(seconds, below, type_=sa.Integer)


def _rows(ended: sa.Subquery) -> sa.Select[Any]:
    counted = (sa.func.sum(TALLIES[kind]).label(kind) for kind in OutcomeKind)
    return (
        sa.select(*_WHOSE, *counted)
        .join(tables.tallies, TALLIES.run_id == RUNS.id)
        .join(ended, ended.c.id == RUNS.id)
        .group_by(*_WHOSE)
    )


def _asked(ended: sa.Subquery) -> sa.Select[Any]:
    traffic = tables.checkpoints.c.traffic
    sums = (
        sa.func.coalesce(sa.func.sum(traffic[name].as_float()), 0).label(name)
        for name in ("requests", "bytes", "waited")
    )
    return (
        sa.select(*_WHOSE, *sums)
        .join(tables.checkpoints, tables.checkpoints.c.run_id == RUNS.id)
        .join(ended, ended.c.id == RUNS.id)
        .group_by(*_WHOSE)
    )


def on_their_way(connection: Connection) -> Mapping[Group, int]:
    """Count the runs that have not ended, by status."""
    query = (
        sa.select(*_WHOSE, RUNS.status, sa.func.count().label("runs"))
        .where(sa.or_(RUNS.status.in_(ACTIVE), RUNS.status == RunStatus.WAITING))
        .group_by(*_WHOSE, RUNS.status)
    )
    return {
        Group(row["organization_id"], row["resource"], row["status"]): row["runs"]
        for row in ask(connection, query)
    }


def undelivered(connection: Connection, only: int | None) -> tuple[int, float]:
    """Count the messages in the outbox, of an organization or all; and how late one is, at most."""
    messages = tables.messages.c
    late = sa.func.clock_timestamp() - sa.func.min(messages.due_at)
    seconds = sa.func.greatest(sa.func.coalesce(sa.func.date_part("epoch", late), 0.0), 0.0)
    mine = [] if only is None else [messages.organization_id == only]
    waiting = (messages.sent_at.is_(None), messages.given_up_at.is_(None), *mine)
    count, overdue = connection.execute(sa.select(sa.func.count(), seconds).where(*waiting)).one()
    return int(count), float(overdue)


def longest_wait(connection: Connection, only: int | None) -> float:
    """Return how many seconds the run waits that is queued longest, of an organization or all."""
    waits = sa.func.clock_timestamp() - sa.func.min(RUNS.active_since)
    mine = [] if only is None else [RUNS.organization_id == only]
    query = sa.select(sa.func.coalesce(sa.func.date_part("epoch", waits), 0.0))
    found = connection.execute(query.where(RUNS.status == RunStatus.QUEUED, *mine))
    return float(found.scalar_one())
