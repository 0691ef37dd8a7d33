"""A run that stops after its plan until a person has decided: what is kept, and what is said."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection

from sync_core.engine import narration, staging
from sync_core.engine.messages import Named
from sync_core.engine.plan import MEMORY
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.runs.lease import RunResult
from sync_core.runs.plans import EntityPlan, Plans, Tripped, sentences

DIGEST = (  # of each row, and of all these in their order
    "select encode(sha256(coalesce(string_agg(sha256(convert_to({row}, 'UTF8')), ''::bytea"
    " order by {order}), '')), 'hex') from {table}"
)


def for_a_decision(
    work: Work, plans: Plans, tallies: Mapping[str, Tally], named: Mapping[str, Sequence[Named]]
) -> RunResult:
    """Return how a run waits: it was asked for its plan alone, or a guard holds it back."""
    narration.waits_for_a_decision(work, plans.tripped)
    why = _why(work, plans.tripped)
    return RunResult(
        status=RunStatus.WAITING,
        message=why.format(counts=narration.planned_counts(work, tallies)),
        log_message=why.format(counts=narration.planned_counts(work, tallies, named)),
        notes=work.notes,
        phases=work.phases,
        log=work.reporter.as_json(),
        plans=plans,
    )


def _why(work: Work, tripped: Sequence[Tripped]) -> str:
    """Return the sentence of why a run waits, with a place for its counts."""
    reasons = sentences([one.sentence for one in tripped]).replace("{", "{{").replace("}", "}}")
    if tripped and work.claim.kind != RunKind.PREVIEW:
        return f"Waiting for approval: {reasons}. {{counts}}"
    return "Waiting for a decision. {counts}" + (
        f" It needs approval: {reasons}." if tripped else ""
    )


def keep(
    connection: Connection,
    scopes: Sequence[Scope],
    tallies: Mapping[str, Tally],
    tripped: Sequence[Tripped],
) -> Plans:
    """Return what is kept of the plans, and make them ready to be read by pages."""
    db.cursor(connection).execute(MEMORY)
    return Plans(
        entities={
            scope.entity.name: _entity_plan(connection, scope, tallies[scope.entity.name])
            for scope in scopes
        },
        tripped=tuple(tripped),
    )


def _entity_plan(connection: Connection, scope: Scope, tally: Tally) -> EntityPlan:
    _index(connection, scope)
    return EntityPlan(
        tally=asdict(tally),
        rows_digest="" if scope.undoes else rows_digest(connection, scope),
        plan_digest=plan_digest(connection, scope),
    )


def _index(connection: Connection, scope: Scope) -> None:
    """Index the plan as pages read it; where it is a view, the rows that it shows."""
    if staging.is_view(connection, staging.table(scope.run_id, scope.entity, "plan")):
        scope.run(connection, "create index on {rows} (row_number)")
    else:
        scope.run(connection, "create index on {plan} (kind, row_number)")
        scope.run(connection, "analyze {plan}")


def rows_digest(connection: Connection, scope: Scope) -> str:
    """Return the digest of the rows that were read."""
    return _digest(connection, scope, "s::text", "s.row_number", "{rows} s")


def plan_digest(connection: Connection, scope: Scope) -> str:
    """Return the digest of what is planned; where the rows stand in staging is no part of it."""
    text = (
        "row(p.kind, p.row_number, {p_key}, p.name, p.rule, p.row_hash, p.changes, p.issues,"
        " p.raw)::text"
    )
    order = 'p.kind, p.row_number, {p_key} collate "C"'
    return _digest(connection, scope, text, order, "{plan} p")


def _digest(connection: Connection, scope: Scope, text: str, order: str, table: str) -> str:
    parts = {"row": text, "order": order, "table": table}
    named = {name: scope.statement(part) for name, part in parts.items()}
    ((digest,),) = scope.ask(connection, DIGEST, **named)
    return str(digest)
