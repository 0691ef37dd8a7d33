"""What a run has asked of its sources and what has come: kept with each sheet that it has read."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables

_KEPT = tables.checkpoints.c


@dataclass(frozen=True)
class Traffic:
    """Requests, and bytes: of their answers as they are unpacked, or of a file."""

    requests: int = 0
    bytes: int = 0
    waited: float = 0  # seconds, for the source asked for it, or its limit was reached

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return both together."""
        return Traffic(
            self.requests + other.requests, self.bytes + other.bytes, self.waited + other.waited
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a checkpoint keeps it."""
        return asdict(self)


NO_TRAFFIC = Traffic()


def of_run(connection: Connection, run_id: int) -> Traffic:
    """Return what all sheets together took that the run has read."""
    query = sa.select(_KEPT.traffic).where(_KEPT.run_id == run_id)
    return sum((Traffic(**kept) for kept in connection.execute(query).scalars()), NO_TRAFFIC)


def rows(connection: Connection, run_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how many rows each of these runs has read so far, by entity."""
    query = sa.select(_KEPT.run_id, _KEPT.entity, _KEPT.staged).where(_KEPT.run_id.in_(run_ids))
    found: dict[int, dict[str, int]] = {}
    for run_id, entity, staged in connection.execute(query):
        found.setdefault(run_id, {})[entity] = staged
    return found
