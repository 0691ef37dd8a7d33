"""The attempts at a run: what each claim of it has left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import FAILED, RunStatus
from sync_core.runs.progress import Level, Line
from sync_core.runs.run import Run

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


def log_of(run: Run, found: Sequence[Attempt]) -> list[Line]:
    """Return the log of a run as its attempts have left it, and at its end how the run ended.

    That is no part of any attempt where nobody worked on it then: a plan was declined, say.
    """
    lines = joined_log(found)
    is_told = bool(lines) and lines[-1].text == run.message
    if not found or run.finished_at is None or is_told or not run.message:
        return lines
    return [*lines, Line(run.finished_at.timestamp(), _level(run.status), run.message)]


def _level(status: RunStatus) -> Level:
    if status in FAILED:
        return "error"
    return "warning" if status == RunStatus.PARTIAL else "info"


def joined_log(found: Sequence[Attempt]) -> list[Line]:
    """Return the log that these attempts have left, its newest line last."""
    return [line for attempt in found for line in attempt.log]
