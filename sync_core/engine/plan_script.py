"""The statements of a plan in their order, for people to read; `plan.make` runs the same ones."""

from collections.abc import Iterator, Sequence

from psycopg import sql

from sync_core.catalogue.fields import Field
from sync_core.engine import ambiguity, checks, plan, settle, staging
from sync_core.engine.checks import references, uniqueness
from sync_core.engine.statements import Scope

Step = tuple[str, sql.Composed]  # what it is for, and the statement


def steps(scope: Scope) -> Iterator[Step]:
    """Return all that may be asked to plan an entity, the tables of whose rows are there."""
    yield "Rows that a sheet was prepared with are blank", settle.prepared_rows(scope)
    for field, statement in settle.known_values(scope):
        yield f"A blank {field.label} of a known record means what it has", statement
    yield "Rows that repeat a key, or refer to nothing, are written down here", _findings(scope)
    yield "Duplicate of an earlier row", checks.repeated_keys(scope)
    for statement in checks.twins(scope):
        yield "The key looks like another one, but has other letters", statement
    for statement in checks.lost_zeros(scope):
        yield "The key is a known one, but for zeros, which is gone", statement
    referring = references.referring(scope)
    for field, statement in zip(referring, references.references(scope), strict=True):
        yield f"{field.label} names a record that is not there, or that did not make it", statement
    for field, statement in references.suggestions(scope):
        yield f"{field.label}: what it may have meant is told", statement
    for statement in ambiguity.refusals(scope):
        yield "Another cell of the column shows that it may mean something else", statement
    yield "What differs from the table: created, or updated", plan.compared(scope, checked=True)
    yield "What is left out: failed, or skipped by a rule", plan.left_out(scope)
    yield (
        "What is gone from the source, where that is removed and every key can be read",
        plan.removed(scope),
    )
    for field in scope.entity.fields:
        if field.unique:
            yield from _unique(scope, field)
    yield "How many rows that makes; all others are unchanged", scope.statement(plan.COUNTED)


def tables(scopes: Sequence[Scope]) -> Iterator[Step]:
    """Return what makes the tables of the rows that were read."""
    for scope in scopes:
        name = scope.entity.title.lower()
        yield (
            f"The rows that were read of {name}: typed, or with their issues and raw cells",
            staging.new_table(scope.run_id, scope.entity),
        )


def _unique(scope: Scope, field: Field) -> Iterator[Step]:
    held, repeated = uniqueness.taken(scope, field)
    yield f"{field.label}: a record holds the value; both again until nothing changes", held
    yield f"{field.label}: an earlier row gets the value", repeated
    held, repeated = uniqueness.taken_besides(scope, field)
    yield f"{field.label}: a record holds the value, of a row that has failed already", held
    yield (
        f"{field.label}: an earlier row gets the value, of a row that has failed already",
        repeated,
    )


def _findings(scope: Scope) -> sql.Composed:
    return scope.statement(checks.FINDINGS)
