"""How what a run read compares with what was known: the evidence of its size and its columns.

The plan finds it, a guard judges by it, and it stays with the run's checkpoints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.runs.run import MADE_UP, in_step
from sync_core.runs.sheet_facts import WINDOW

_RUNS, _KEPT, _TALLIES = tables.runs.c, tables.checkpoints.c, tables.tallies.c


@dataclass(frozen=True)
class Figures:
    """The figures of one entity of a run."""

    known: int = 0  # records that stood before the run, removed ones left out
    absent: int = 0  # of these, whose key no row of the source has
    new: int = 0  # rows whose key was not known, and that nothing is wrong with
    read: int = 0
    read_before: int | None = None  # rows of the last run that was applied; None: there is none
    emptied: Mapping[str, int] = field(default_factory=dict)  # label -> records that had a value
    absent_before: int = 0  # records that the last such run had not found either
    blanked: Mapping[str, int] = field(default_factory=dict)  # label -> records that lose a value
    filled: Mapping[str, int] = field(default_factory=dict)  # label of such -> records with one
    removal: str | None = None  # what becomes of absent records; None: an undo, or not noted then

    @property
    def all_keys_changed(self) -> bool:
        """Whether no record that was known is in the source, and every row is a new one."""
        return 0 < self.known == self.absent and 0 < self.new == self.read

    def as_json(self) -> dict[str, Any]:
        """Return it as a checkpoint keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was kept."""
        return cls(**kept)


def keep(connection: Connection, run_id: int, entity: str, figures: Figures) -> None:
    """Keep the figures of an entity with the run."""
    connection.execute(
        sa.update(tables.checkpoints)
        .where(_KEPT.run_id == run_id, _KEPT.entity == entity)
        .values(figures=figures.as_json())
    )


def of_run(connection: Connection, run_id: int) -> dict[str, Figures]:
    """Read the figures of a run by entity, as far as its plans were made."""
    query = sa.select(_KEPT.entity, _KEPT.figures).where(_KEPT.run_id == run_id)
    found = connection.execute(query.where(_KEPT.figures != {})).all()
    return {entity: Figures.from_json(kept) for entity, kept in found}


def known_before(connection: Connection, run_ids: Sequence[int], entity: str) -> dict[int, int]:
    """Return how many records stood before each of these runs that reads only what has changed."""
    known = _KEPT.figures["known"].as_integer()
    query = sa.select(_KEPT.run_id, known.label("known")).where(
        _KEPT.run_id.in_(run_ids),
        _KEPT.entity == entity,
        WINDOW["since"].as_string().is_not(None),
        known.is_not(None),
    )
    return {row.run_id: row.known for row in connection.execute(query)}


def read_before(connection: Connection, run_id: int, entity: str) -> int | None:
    """Return how many rows the last run of the same resource read that was applied before."""
    return connection.execute(_earlier(run_id, entity, _TALLIES.read).limit(1)).scalar()


def absent_before(connection: Connection, run_id: int, entity: str) -> int:
    """Return how many known records that run did not find in its source."""
    kept = tables.checkpoints.c.figures["absent"].as_integer()
    query = _earlier(run_id, entity, kept).join(
        tables.checkpoints, (_KEPT.run_id == _RUNS.id) & (_KEPT.entity == _TALLIES.entity)
    )
    return connection.execute(query.limit(1)).scalar() or 0


def usual(connection: Connection, run_id: int, entity: str) -> Mapping[str, int]:
    """Return the median counts of the last ten such runs, by kind; none where there are none."""
    kinds = ("read", *OutcomeKind)
    last = _earlier(run_id, entity, *(_TALLIES[kind] for kind in kinds)).limit(10).subquery()
    medians = (sa.func.percentile_disc(0.5).within_group(last.c[kind]) for kind in kinds)
    row = connection.execute(sa.select(*medians)).one()
    return {k: int(v) for k, v in zip(kinds, row, strict=True) if v is not None}


def _earlier(run_id: int, entity: str, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return the query of the runs of the same resource that were applied before, newest first."""
    this = sa.select(_RUNS.organization_id, _RUNS.resource).where(_RUNS.id == run_id).subquery()
    return (
        sa.select(*columns)
        .select_from(tables.tallies)
        .join(tables.runs, _TALLIES.run_id == _RUNS.id)
        .where(
            _RUNS.organization_id == this.c.organization_id,
            _RUNS.resource == this.c.resource,
            _RUNS.id != run_id,
            in_step(tables.runs),
            _RUNS.trigger != MADE_UP,
            _TALLIES.entity == entity,
        )
        .order_by(_RUNS.finished_at.desc())  # a preview may be confirmed after a later sync
    )
