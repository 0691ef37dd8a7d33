"""Undos that changed something: since a plan was made, and of a run, as long as they stand."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, LEFT_OUT, RunKind, RunStatus
from sync_core.runs.run import Run, Undone, changed_rows, some

_RUNS, _ATTEMPTS, _TALLIES = tables.runs.c, tables.attempts.c, tables.tallies.c


def since_plan(
    connection: Connection,
    organization_id: int,
    resource: str,
    run_id: int,
    undoes: int | None = None,
) -> Run | None:
    """Return the last undo of a resource that was applied after a run's plan was made.

    Of a plan that itself `undoes` a run only one that took another undo of that run back counts:
    the plan would do that one again. What else was undone since, it finds in the records.
    """
    made = sa.select(_ATTEMPTS.ended_at).where(
        _ATTEMPTS.run_id == run_id, _ATTEMPTS.ended == RunStatus.WAITING
    )
    its = (_RUNS.resource == resource, _RUNS.finished_at > made.scalar_subquery())
    newest = _applied([organization_id]).where(*its)
    if undoes is not None:
        same = tables.runs.alias("same").c
        newest = newest.where(_RUNS.undoes.in_(sa.select(same.id).where(same.undoes == undoes)))
    found = connection.execute(newest.order_by(_RUNS.finished_at.desc()).limit(1)).scalar()
    return some(connection, [found])[0] if found else None


def marked(connection: Connection, found: Sequence[Run]) -> list[Run]:
    """Return the runs, each with the undo that took it back, where one did and still stands."""
    applied = [run for run in found if run.status in APPLIED]
    if not applied:
        return list(found)
    whose = {run.organization_id for run in applied}
    undone = standing(connection, whose, min(run.id for run in applied))
    return [replace(run, undone=undone.get(run.id)) for run in found]


def taken_back(
    connection: Connection, organization_id: int, fresh: Mapping[str, Run]
) -> dict[str, Run]:
    """Return the last undo since each resource was in step that leaves it otherwise.

    One that was undone itself does not, nor one that undid another since, unless in part.
    """
    since = (
        (_RUNS.resource == r) & (_RUNS.finished_at > run.finished_at) for r, run in fresh.items()
    )
    ids = connection.execute(
        _applied([organization_id]).where(sa.or_(sa.false(), *since))
    ).scalars()
    found = {undo.id: undo for undo in some(connection, ids.all())}
    if not found:
        return {}
    stands = standing(connection, [organization_id], min(found) - 1)
    left = [
        found[undo.by]
        for run_id, undo in stands.items()
        if undo.by in found and (run_id not in found or undo.in_part)
    ]
    return {undo.resource: undo for undo in sorted(left, key=lambda one: one.id)}


def standing(
    connection: Connection, organization_ids: Collection[int], since: int
) -> dict[int, Undone]:
    """Return, by the run that it took back, each undo that stands; of runs `since` that number."""
    left = [_sum_of(LEFT_OUT), _TALLIES.failed]
    sums = [
        sa.select(sa.func.sum(one)).where(_TALLIES.run_id == _RUNS.id).scalar_subquery()
        for one in left
    ]
    later = _applied(organization_ids).where(_RUNS.id > since).add_columns(_RUNS.finished_at, *sums)
    found: dict[int, Undone] = {}
    undone: set[int] = set()
    for undo, its, at, left_out, failed in connection.execute(later.order_by(_RUNS.id.desc())):
        if undo in undone:  # by a newer one, which was seen before
            continue
        undone.add(its)
        found.setdefault(its, Undone(undo, at, in_part=bool(left_out), failed=bool(failed)))
    return found


def _applied(organization_ids: Collection[int]) -> sa.Select[Any]:
    """Select the undos of organizations, and what each undoes, by the index `runs_that_undo`.

    Those that found nothing to put back are none.
    """
    return sa.select(_RUNS.id, _RUNS.undoes).where(
        _RUNS.organization_id.in_(organization_ids),
        _RUNS.kind == RunKind.UNDO,
        _RUNS.status.in_(APPLIED),
        changed_rows(),
    )


def _sum_of(kinds: Collection[str]) -> sa.ColumnElement[Any]:
    return sum((_TALLIES[kind] for kind in kinds), start=sa.literal(0))
