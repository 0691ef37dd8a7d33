"""What is kept with a run whose plan waits for a person: its counts, and what proves it later."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables

_RUNS = tables.runs.c


@dataclass(frozen=True, kw_only=True)
class EntityPlan:
    """The plan of one entity: how many rows meet which end, and what it was made of.

    A digest is the SHA-256, in hexadecimal, of all rows in an order of their own.
    """

    tally: Mapping[str, Any]  # as in `runs.tallies`
    rows_digest: str  # of the rows that were read; "" of an undo, which reads none
    plan_digest: str  # of what is planned of them


@dataclass(frozen=True, kw_only=True)
class Tripped:
    """A guard that holds a plan back: what it has found, and what would have been all right."""

    guard: str  # a GuardKind
    entity: str
    sentence: str  # "412 of 1,550 therapists would be deactivated"
    rows: int  # that tripped it
    of: int  # of so many
    label: str | None = None  # of the column
    more_than_rows: int | None = None  # the threshold that was passed; None: it has no numbers
    more_than_percent: int | None = None
    usual: int | None = None  # rows, in half of the last syncs at most; None: there are none


def sentences(reasons: Sequence[str]) -> str:
    """Return why guards hold a plan back, as sentences without the last full stop.

    The first goes on whatever stands before it.
    """
    return ". ".join([*reasons[:1], *(one[:1].upper() + one[1:] for one in reasons[1:])])


@dataclass(frozen=True, kw_only=True)
class Plans:
    """The plans of a run that waited for a person, or still does."""

    entities: Mapping[str, EntityPlan]
    tripped: Sequence[Tripped] = ()

    @property
    def tallies(self) -> Mapping[str, Mapping[str, Any]]:
        """What is planned, as `runs.tallies` counts it."""
        return {name: plan.tally for name, plan in self.entities.items()}

    def as_json(self) -> dict[str, Any]:
        """Return them as the run keeps them."""
        return {**asdict(self), "tripped": [asdict(one) for one in self.tripped]}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the plans that were kept."""
        entities = {name: EntityPlan(**plan) for name, plan in kept["entities"].items()}
        tripped = [Tripped(**one) for one in kept.get("tripped", ())]
        return cls(entities=entities, tripped=tuple(tripped))


def of_run(connection: Connection, run_id: int) -> Plans | None:
    """Read the plans of a run; None where it never waited."""
    kept = connection.execute(sa.select(_RUNS.plans).where(_RUNS.id == run_id)).scalar()
    return Plans.from_json(kept) if kept else None
