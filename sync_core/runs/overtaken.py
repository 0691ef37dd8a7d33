"""Plans that wait while another run gets ahead of them: they are out of date, and nobody failed."""

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONPATH

from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import APPLIED, IN_STEP, RunKind, RunStatus
from sync_core.runs import filters, lease
from sync_core.runs.run import Run, changed_rows, some

_RUNS, _ATTEMPTS, _UPLOADS = tables.runs.c, tables.attempts.c, tables.uploads.c
_PLANNED_RUN = tables.runs.alias("planned")
_PLANNED = _PLANNED_RUN.c
OF_SOURCE = (RunKind.SYNC, RunKind.PREVIEW)  # whose plans are made of all that the source holds
APPLIED_SINCE = "run {run} was applied since it was made"
NEWER_PLAN = "the source was changed since, and run {run} has a newer plan"


def end_plans(connection: Connection) -> list[int]:
    """End the runs whose plans wait and would be refused, as a later run has got ahead of them.

    A plan on which somebody is deciding at this moment is left: it is refused, or ended next time.
    """
    waits = sa.select(_PLANNED.id, _applied_since(), _newer_plan()).where(
        _PLANNED.status == RunStatus.WAITING
    )
    locked = waits.with_for_update(of=_PLANNED_RUN, skip_locked=True)
    ended = []
    for run_id, applied, newer in connection.execute(locked).all():
        if moved := _moved(applied, newer):
            error = SyncError("plan_outdated", moved=moved)
            lease.close(connection, [_RUNS.id == run_id], lease.failure(error, RunStatus.EXPIRED))
            ended.append(run_id)
    return ended


def _moved(applied: int | None, newer: int | None) -> str:
    if applied:
        return APPLIED_SINCE.format(run=applied)
    return NEWER_PLAN.format(run=newer) if newer else ""


def last_change(connection: Connection, run_id: int) -> Run | None:
    """Return the last run of the same resource that changed records after a run's plan was made."""
    newest = _last(sa.select(_RUNS.id).where(*_is_later(), changed_rows()))
    found = connection.execute(sa.select(newest).where(_PLANNED.id == run_id)).scalar()
    return some(connection, [found])[0] if found else None


def _is_later() -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a run of the same resource was applied after the plan was made."""
    made = sa.select(sa.func.max(_ATTEMPTS.ended_at)).where(
        _ATTEMPTS.run_id == _PLANNED.id, _ATTEMPTS.ended == RunStatus.WAITING
    )
    return [
        _RUNS.organization_id == _PLANNED.organization_id,
        _RUNS.resource == _PLANNED.resource,
        _RUNS.status.in_(APPLIED),
        made.correlate(_PLANNED_RUN).scalar_subquery() < filters.HAPPENED,
    ]


def _last(found: sa.Select[tuple[int]]) -> sa.ScalarSelect[int]:
    last = found.order_by(filters.HAPPENED.desc()).limit(1)
    return last.correlate(_PLANNED_RUN).scalar_subquery()


def _applied_since() -> sa.ScalarSelect[int]:
    """Select the last run that was applied since, and because of which the plan is out of date.

    The plan of an undo still fits where runs have changed other records than its own, so only what
    did the same, or took that back, counts. Any other plan fits no more once records have changed,
    nor once the source was applied otherwise, though it may have changed nothing.
    """
    same = tables.runs.alias("same").c
    again = sa.select(same.id).where(same.undoes == _PLANNED.undoes)
    of_undo = (
        (_RUNS.kind == RunKind.UNDO)
        & ((_RUNS.undoes == _PLANNED.undoes) | _RUNS.undoes.in_(again.correlate(_PLANNED_RUN)))
        & changed_rows()
    )
    of_others = changed_rows() | (_RUNS.kind.in_(IN_STEP) & _read_one_source())
    is_ahead = sa.case((_PLANNED.kind == RunKind.UNDO, of_undo), else_=of_others)
    return _last(sa.select(_RUNS.id).where(*_is_later(), is_ahead))


def _newer_plan() -> sa.ScalarSelect[int]:
    """Select the last run whose plan waits, too, and was made of other rows of the same source."""
    newest = sa.select(_RUNS.id).where(
        _RUNS.organization_id == _PLANNED.organization_id,
        _RUNS.resource == _PLANNED.resource,
        _RUNS.status == RunStatus.WAITING,
        _RUNS.kind.in_(OF_SOURCE),
        _PLANNED.kind.in_(OF_SOURCE),
        _RUNS.id > _PLANNED.id,
        _read_one_source(),
        _has_other_rows(),
    )
    last = newest.order_by(_RUNS.id.desc()).limit(1)
    return last.correlate(_PLANNED_RUN).scalar_subquery()


def _read_one_source() -> sa.ColumnElement[bool]:
    """Return the condition that neither run was given files: both read the source that is set."""
    given = sa.exists().where(_UPLOADS.run_id.in_([_RUNS.id, _PLANNED.id]))
    return ~given.correlate(tables.runs, _PLANNED_RUN)


def _has_other_rows() -> sa.ColumnElement[bool]:
    """Return the condition that the rows that were read differ from those of the plan."""
    of_entities = sa.cast("$.entities.*.rows_digest", JSONPATH)
    now = sa.func.jsonb_path_query_array(_RUNS.plans, of_entities)
    then = sa.func.jsonb_path_query_array(_PLANNED.plans, of_entities)
    return now != then
