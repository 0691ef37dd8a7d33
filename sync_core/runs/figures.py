"""How what a run read compares with what was known: the evidence of its size and its columns.

The plan finds it, a guard judges by it, and it stays with the run's checkpoints.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.runs.run import in_step

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


def read_before(connection: Connection, run_id: int, entity: str) -> int | None:
    """Return how many rows the last run of the same resource read that was applied before."""
    this = sa.select(_RUNS.organization_id, _RUNS.resource).where(_RUNS.id == run_id).subquery()
    return connection.execute(
        sa.select(_TALLIES.read)
        .join_from(tables.tallies, tables.runs, _TALLIES.run_id == _RUNS.id)
        .where(
            _RUNS.organization_id == this.c.organization_id,
            _RUNS.resource == this.c.resource,
            _RUNS.id < run_id,
            in_step(tables.runs),
            _TALLIES.entity == entity,
        )
        .order_by(_RUNS.id.desc())
        .limit(1)
    ).scalar()
