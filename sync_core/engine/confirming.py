"""Whether a plan that a person has confirmed still holds: its rows, its source, its target."""

from collections.abc import Sequence
from functools import partial

from sync_core.catalogue.source import Dated, Sheet, Watchable
from sync_core.engine import staging, waiting
from sync_core.engine.plan import MEMORY
from sync_core.engine.statements import Scope
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.counting import moment_there
from sync_core.foundation.errors import SyncError
from sync_core.runs import lease, overtaken, sheet_facts, undos
from sync_core.runs.plans import EntityPlan, Plans

PLANNED = (  # of a planned row, all but where it stands in staging
    "select p.kind, p.row_number, {p_key} as key, p.name, p.rule, p.row_hash,"
    " p.changes::text, p.issues::text, p.raw::text from "
)
DIFFERING = (
    "select count(distinct coalesce(d.row_number::text, d.key)) from"
    " (({now} except all {before}) union all ({before} except all {now})) d"
)


def require_no_undo(work: Work) -> None:
    """Refuse where something was taken back since: the plan could do it again, and look the same.

    Raises SyncError(plan_outdated).
    """
    claim, undoes = work.claim, work.undone.id if work.undone else None
    whose = (claim.organization_id, claim.resource)
    with db.within(claim.organization_id) as connection:
        undo = undos.since_plan(connection, *whose, claim.run_id, undoes)
    if undo:
        raise _outdated(f"run {undo.id} has taken run {undo.undoes} back since it was made")


def require_rows(work: Work) -> None:
    """Refuse where what was read for the plan is lost. Raises SyncError(plan_outdated)."""
    with db.within(work.claim.organization_id) as connection:
        for entity in work.resource.entities:
            if staging.is_lost_since(connection, work.claim.run_id, entity):
                raise _outdated(f"what was read of {entity.title} is not there any more")


def require_moment(work: Work, scope: Scope, sheet: Sheet) -> None:
    """Refuse a sheet of another moment than the plan's, where its source tells moments.

    Raises SyncError(plan_outdated).
    """
    if not isinstance(sheet, Dated) or (now := sheet.changed_at) is None:
        return
    with db.within(work.claim.organization_id) as connection:
        planned = sheet_facts.version(connection, work.claim.run_id, scope.entity.name)
    if planned not in {None, sheet.version}:
        name = sheet.name[0].lower() + sheet.name[1:]
        raise _outdated(f"{name} was changed on {moment_there(now, work.time_zone)}")


def may_have_changed(work: Work, sheet: Sheet) -> bool:
    """Return whether only reading it again can tell that a sheet is as it was."""
    if sheet.version is not None:
        return False
    if isinstance(sheet, Watchable) and work.window:
        return work.reading.call(partial(sheet.changed_since, work.window.began))
    return True


def put_aside(work: Work, scopes: Sequence[Scope]) -> None:
    """Keep the confirmed plans beside those that will be made anew."""
    with db.within(work.claim.organization_id) as connection:
        lease.fence(connection, work.claim)
        for scope in scopes:
            staging.put_plan_aside(connection, scope.run_id, scope.entity)


def require_same(scopes: Sequence[Scope], confirmed: Plans) -> None:
    """Refuse where rows or plans are not those that were confirmed. Raises plan_outdated."""
    with db.within(*(scope.organization_id for scope in scopes)) as connection:
        db.cursor(connection).execute(MEMORY)
        moved = [
            what
            for scope in scopes
            if (what := _moved(connection, scope, confirmed.entities[scope.entity.name]))
        ]
    if moved:
        raise _outdated("; ".join(moved))


def _moved(connection: db.Connection, scope: Scope, confirmed: EntityPlan) -> str | None:
    if not scope.undoes and waiting.rows_digest(connection, scope) != confirmed.rows_digest:
        return f"the source of {scope.entity.title} was changed meanwhile"
    if waiting.plan_digest(connection, scope) == confirmed.plan_digest:
        return None
    changed = _who_changed(connection, scope)
    if not staging.plan_is_aside(connection, scope.run_id, scope.entity):
        return changed
    now, before = (scope.statement(PLANNED + name) for name in ("{plan} p", "{confirmed} p"))
    ((rows,),) = scope.ask(connection, DIFFERING, now=now, before=before)
    which = "1 row of it" if rows == 1 else f"{rows:,} rows of it"
    return f"{changed}, and {which} would end otherwise"


def _who_changed(connection: db.Connection, scope: Scope) -> str:
    """Tell by which newer run the table was changed, where one did."""
    table = f"the table {scope.entity.title}"
    newer = overtaken.last_change(connection, scope.run_id)
    return (
        f"run {newer.id} has changed {table} since" if newer else f"{table} was changed meanwhile"
    )


def _outdated(moved: str) -> SyncError:
    return SyncError("plan_outdated", moved=moved)
