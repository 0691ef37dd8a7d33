"""How many runs read with one account of a source at once: its limits are those of all of them."""

from functools import cache
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import settings, tables
from sync_core.foundation.later import Later
from sync_core.foundation.vocabulary import RunKind, RunStatus

if TYPE_CHECKING:
    from sync_core.sources import kinds
else:  # they bring whatever reads them: who only looks at runs needs none of it
    kinds = Later("sync_core.sources.kinds")

CLAIMING = 7_300_241  # advisory, of whoever claims a run: one after the other counts

_RUNS, _MINE = tables.runs.c, tables.sources.alias("mine").c
_OTHER_RUNS, _THEIRS = tables.runs.alias("other").c, tables.sources.alias("theirs").c
_LEASES = tables.leases.c


@cache
def _of(whose: Literal["program", "organization"]) -> tuple[str, ...]:
    """Return the kinds of sources whose account's limits are those of all runs of these."""
    return tuple(name for name, kind in kinds.KINDS.items() if kind.quota == whose)


def one_by_one(connection: Connection, run_id: int) -> None:
    """Let nobody else claim a run of a limited account until the transaction ends.

    So each counts the others. Raises LockNotAvailable where somebody holds it for too long.
    """
    limited = sa.select(_MINE.kind).where(
        _MINE.organization_id == _RUNS.organization_id,
        _MINE.resource == _RUNS.resource,
        _MINE.kind.in_([*_of("program"), *_of("organization")]),
    )
    if connection.execute(sa.select(_RUNS.id).where(_RUNS.id == run_id, limited.exists())).first():
        connection.execute(sa.text("set local lock_timeout = '5s'"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(CLAIMING)))
        connection.execute(sa.text("set local lock_timeout = 0"))


def is_free() -> sa.ColumnElement[bool]:
    """Return the condition that no account of a run's sources is read by as many as may be."""
    most = settings.current().account_runs
    full = (
        sa.select(_MINE.kind)
        .where(
            _MINE.organization_id == _RUNS.organization_id,
            _MINE.resource == _RUNS.resource,
            _MINE.kind.in_([*_of("program"), *_of("organization")]),
            _readers() >= most,
        )
        .correlate(tables.runs)
    )
    return (_RUNS.kind == RunKind.UNDO) | ~full.exists()


def _readers() -> sa.ScalarSelect[int]:
    """Count the runs at work that read with the account of a source of `mine`."""
    same = _MINE.kind.in_(_of("program")) | (_OTHER_RUNS.organization_id == _MINE.organization_id)
    return (
        sa.select(sa.func.count(_OTHER_RUNS.id.distinct()))
        .join_from(_OTHER_RUNS.id.table, _LEASES.run_id.table, _LEASES.run_id == _OTHER_RUNS.id)
        .join(
            _THEIRS.kind.table,
            (_THEIRS.organization_id == _OTHER_RUNS.organization_id)
            & (_THEIRS.resource == _OTHER_RUNS.resource),
        )
        .where(
            _OTHER_RUNS.status == RunStatus.RUNNING,
            _OTHER_RUNS.kind != RunKind.UNDO,
            _LEASES.lease_until > sa.func.clock_timestamp(),
            _THEIRS.kind == _MINE.kind,
            same,
        )
        .correlate(_MINE.kind.table)
        .scalar_subquery()
    )
