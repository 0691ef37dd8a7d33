"""Which notices of runs somebody has closed; they stay closed on all their devices."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import tables

_DISMISSALS = tables.dismissals.c


def of_runs(connection: Connection, run_ids: Sequence[int]) -> dict[tuple[int, str], datetime]:
    """Return when each person, by e-mail address, last closed the notice of each of the runs."""
    rows = connection.execute(
        sa.select(_DISMISSALS.run_id, _DISMISSALS.email, _DISMISSALS.at).where(
            _DISMISSALS.run_id.in_(run_ids)
        )
    )
    return {(row.run_id, row.email): row.at for row in rows}


def save(connection: Connection, run_id: int, email: str) -> None:
    """Keep that the person closes the notice of the run now."""
    connection.execute(
        insert(tables.dismissals)
        .values(run_id=run_id, email=email)
        .on_conflict_do_update(
            index_elements=["run_id", "email"], set_={"at": sa.func.clock_timestamp()}
        )
    )
