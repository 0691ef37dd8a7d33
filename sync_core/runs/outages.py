"""Sources that fail again and again, so that their schedules had better rest."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.organizations import schedules
from sync_core.organizations.schedules import Schedule
from sync_core.runs.run import Run, some

_RUNS, _KEPT = tables.runs.c, tables.sync_schedules.c
READING = (RunKind.SYNC, RunKind.PREVIEW)  # what reads the whole source


def of_schedules(
    connection: Connection, codes: Sequence[str], times: int
) -> list[tuple[Schedule, Run]]:
    """Return the schedules whose resource failed so many `times` in a row with these codes.

    With each the last of these runs. Only runs since the schedule was set, or resumed, count.
    """
    last = (
        sa.select(_RUNS.id, _RUNS.status, _RUNS.error_code)
        .where(
            _RUNS.organization_id == _KEPT.organization_id,
            _RUNS.resource == _KEPT.resource,
            _RUNS.finished_at.is_not(None),
            _RUNS.status != RunStatus.CANCELLED,
            _RUNS.kind.in_(READING),
            _RUNS.queued_at >= _KEPT.since,
        )
        .order_by(_RUNS.id.desc())
        .limit(times)
        .lateral("last")
    )
    failed = (last.c.status == RunStatus.FAILED) & last.c.error_code.in_(codes)
    hopeless = (
        sa.select(sa.func.max(last.c.id))
        .select_from(tables.sync_schedules)
        .join(last, sa.true())
        .where(_KEPT.paused_at.is_(None))
        .group_by(_KEPT.organization_id, _KEPT.resource)
        .having(sa.func.count() == times, sa.func.bool_and(failed))
    )
    found = some(connection, list(connection.execute(hopeless).scalars()))
    return [(schedules.get(connection, run.organization_id, run.resource), run) for run in found]
