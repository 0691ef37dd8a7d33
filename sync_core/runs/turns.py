"""Whose run comes next: organizations take turns, so that many runs of one hold up no other."""

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import RunStatus

_RUNS, _TURNS = tables.runs.c, tables.turns.c
_NOW = sa.func.clock_timestamp()


def in_order(connection: Connection) -> list[int]:
    """List the queued runs: the first of each organization, then the second of each, and so on.

    Among these, the organization comes first whose last turn is longest ago.
    """
    of_its_own = sa.func.row_number().over(
        partition_by=_RUNS.organization_id, order_by=(_RUNS.active_since, _RUNS.id)
    )
    query = (
        sa.select(_RUNS.id)
        .outerjoin(tables.turns, _TURNS.organization_id == _RUNS.organization_id)
        .where(_RUNS.status == RunStatus.QUEUED)
        .order_by(of_its_own, _TURNS.at.asc().nulls_first(), _RUNS.active_since, _RUNS.id)
    )
    return list(connection.execute(query).scalars())


def take(connection: Connection, organization_id: int) -> None:
    """Note that a worker has taken a run of the organization."""
    connection.execute(
        insert(tables.turns)
        .values(organization_id=organization_id, at=_NOW)
        .on_conflict_do_update(index_elements=["organization_id"], set_={"at": _NOW})
    )
