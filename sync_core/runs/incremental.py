"""How much of a source a run reads: everything, or what changed since an earlier run read it.

What earlier runs noted in their checkpoints counts only where they were applied.
"""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue.resource import Resource
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import APPLIED, IN_STEP, RunKind
from sync_core.runs.lease import Claim
from sync_core.runs.sheet_facts import DECLARATION, WINDOW, ReadWindow, declaration

OVERLAP = timedelta(hours=1)  # clocks differ by minutes, and a record may be listed late

_RUNS, _KEPT = tables.runs.c, tables.checkpoints.c


def decide(
    connection: Connection, claim: Claim, resource: Resource, sweep: timedelta
) -> ReadWindow:
    """Decide how much the claimed run reads, for a source that can tell what changed.

    Everything at the first time, when the last time is older than `sweep` or yet to come, after an
    undo, after a run that read another source, such as a file, and after another declaration of a
    table; another attempt at the run goes on as it has begun.
    """
    if begun := _begun(connection, claim):
        return begun
    now = datetime.now(UTC)
    last = _latest(connection, claim, resource)
    whole = _latest(connection, claim, resource, WINDOW["since"].as_string().is_(None))
    if last is None or whole is None or now - whole.began > sweep:
        return ReadWindow(now)
    since = last.began - OVERLAP
    return ReadWindow(now, since) if since < now else ReadWindow(now)  # a clock was set back


def _begun(connection: Connection, claim: Claim) -> ReadWindow | None:
    """Return the window of an earlier attempt at the run."""
    noted = sa.select(WINDOW.as_string()).where(_KEPT.run_id == claim.run_id).limit(1)
    return _noted(connection.execute(noted).scalar())


def _latest(
    connection: Connection, claim: Claim, resource: Resource, *further: sa.ColumnElement[bool]
) -> ReadWindow | None:
    """Return the window of the last run that brought all tables, as declared now, in step."""
    declarations = (
        (_KEPT.entity == entity.name) & (declaration(entity) == DECLARATION)
        for entity in resource.entities
    )
    ours = (
        _RUNS.organization_id == claim.organization_id,
        _RUNS.resource == claim.resource,
        _RUNS.status.in_(APPLIED),
    )
    from_another_source = sa.exists().where(_KEPT.run_id == _RUNS.id, WINDOW.as_string().is_(None))
    undone = sa.select(sa.func.max(_RUNS.finished_at)).where(
        *ours, (_RUNS.kind == RunKind.UNDO) | from_another_source
    )
    noted = (
        sa.select(sa.func.min(WINDOW.as_string()))
        .join_from(tables.runs, tables.checkpoints, _KEPT.run_id == _RUNS.id)
        .where(*ours, _RUNS.kind.in_(IN_STEP), sa.or_(*declarations), *further)
        .where(_began_after(undone.scalar_subquery()))
        .group_by(_RUNS.id)
        .having(sa.func.count(WINDOW.as_string()) == len(resource.entities))
        .order_by(_RUNS.finished_at.desc())  # a plan may be confirmed after a later run
        .limit(1)
    )
    return _noted(connection.execute(noted).scalar())


def _began_after(ended: sa.ScalarSelect[datetime | None]) -> sa.ColumnElement[bool]:
    """Return the condition of windows that began later, as far as there is such an end.

    Numbers of runs tell nothing of that: a plan is confirmed hours after it was made.
    """
    began = sa.cast(WINDOW["began"].as_string(), sa.DateTime(timezone=True))
    return ended.is_(None) | (began > ended)


def _noted(text: str | None) -> ReadWindow | None:
    if text is None:
        return None
    return ReadWindow.from_json(json.loads(text))
