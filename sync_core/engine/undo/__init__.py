"""Undo: a plan that is an earlier run's outcomes turned round, as far as nobody changed them since.

What the run wrote goes back where it still stands; what somebody changed since is kept, and told
field by field; what cannot come back is told as impossible.
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from sync_core.catalogue.resource import Entity
from sync_core.engine import staging
from sync_core.engine.headers import Columns
from sync_core.engine.plan import COUNTED, MEMORY
from sync_core.engine.statements import Scope, execute
from sync_core.engine.tally import Tally
from sync_core.engine.undo import turned_round
from sync_core.engine.undo.impossible import settle
from sync_core.engine.undo.turned_round import KEPT
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind, Removal
from sync_core.runs import Run, figures
from sync_core.runs.figures import Figures


def scopes(work: Work) -> list[Scope]:
    """Return what the plans of an undo are about: no sheet, only the tables.

    What the run created goes for good, whatever happens to records that a source no longer has.
    """
    entities = [replace(one, removal=Removal.DELETE) for one in work.resource.entities]
    return [_scope(work, entity, entities) for entity in entities]


def _scope(work: Work, entity: Entity, entities: Sequence[Entity]) -> Scope:
    labels = tuple(field.label for field in entity.fields)
    return Scope(
        run_id=work.claim.run_id,
        organization_id=work.claim.organization_id,
        entity=entity,
        columns=Columns(tuple(zip(entity.fields, range(len(labels)), strict=True)), labels, ()),
        title="",
        together=tuple(entities),
        known=work.known,
        undoes=True,
    )


def make(
    connection: Connection, scopes: Sequence[Scope], undone: Run
) -> tuple[list[Scope], dict[str, Tally]]:
    """Write the plans that undo a run, and count them; they are made anew where they stand.

    Returns the scopes with their counts, and what is planned.
    """
    db.cursor(connection).execute(MEMORY)
    staging.do_not_wait(connection)
    found = figures.of_run(connection, undone.id)
    for scope in scopes:
        of_entity = found.get(scope.entity.name, Figures())
        _plan(connection, scope, undone, deleted=of_entity.removal in {None, Removal.DELETE})
    settle(connection, scopes)
    staged = [replace(s, staged=staging.count(connection, s.run_id, s.entity)) for s in scopes]
    return staged, {scope.entity.name: _count(connection, scope) for scope in staged}


def _plan(connection: Connection, scope: Scope, undone: Run, *, deleted: bool) -> None:
    staging.drop(connection, staging.table(scope.run_id, scope.entity, "plan"))
    staging.drop(connection, staging.table(scope.run_id, scope.entity))
    execute(connection, turned_round.rows(scope, undone, deleted=deleted))
    execute(connection, turned_round.plan(scope))
    scope.run(connection, "create index on {rows} (row_number)")
    scope.run(connection, "create index on {plan} (row_number)")
    scope.run(connection, "analyze {rows}")
    scope.run(connection, "analyze {plan}")


def _count(connection: Connection, scope: Scope) -> Tally:
    """Count the plan; the rows that are read are the run's outcomes that something can come of."""
    counts: dict[str, int] = {}
    for kind, _, count in scope.ask(connection, COUNTED):
        counts[kind] = counts.get(kind, 0) + count
    read = scope.staged - counts.get(OutcomeKind.REMOVED, 0)
    others = sum(count for kind, count in counts.items() if kind != OutcomeKind.REMOVED)
    kept = counts.get(OutcomeKind.SKIPPED, 0)
    rules = {KEPT: kept} if kept else {}
    return Tally(read=read, unchanged=read - others, rules=rules, **counts)
