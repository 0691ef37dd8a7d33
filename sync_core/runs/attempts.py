"""The attempts at a run: what each claim of it has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.runs.progress import Line

_ATTEMPTS = tables.attempts.c


@dataclass(frozen=True)
class Attempt:
    """One claim of a run by a worker; it works on it as long as `ended` is None."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    ended: str | None  # how, in words
    log: Sequence[Line]


def of_run(connection: Connection, run_id: int) -> list[Attempt]:
    """Return the attempts at a run, the first one first."""
    rows = connection.execute(
        sa.select(*(_ATTEMPTS[name] for name in Attempt.__dataclass_fields__))
        .where(_ATTEMPTS.run_id == run_id)
        .order_by(_ATTEMPTS.attempt)
    )
    return [
        Attempt(**{**row, "log": [Line(**line) for line in row["log"]]}) for row in rows.mappings()
    ]


def joined_log(found: Sequence[Attempt]) -> list[Line]:
    """Return the log that these attempts have left, its newest line last."""
    return [line for attempt in found for line in attempt.log]
