"""What an undo cannot do: leave a record without what it refers to, or use a value twice."""

from collections.abc import Iterator, Sequence

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine.checks import alike, failing, uniqueness
from sync_core.engine.statements import Scope, column, execute
from sync_core.records.plan_format import key_column


def settle(connection: Connection, scopes: Sequence[Scope]) -> None:
    """Fail what cannot come back, or cannot go, until nothing more follows from that."""
    while any(_fail(connection, scope, scopes) for scope in scopes):
        pass


def _fail(connection: Connection, scope: Scope, scopes: Sequence[Scope]) -> bool:
    lost = sum([execute(connection, one) for one in broken_references(scope, scopes)])
    return lost + uniqueness.lose_unique(connection, scope) > 0


def broken_references(scope: Scope, scopes: Sequence[Scope]) -> Iterator[sql.Composed]:
    """Return the SQL that fails what would refer to nothing, and what others still refer to."""
    plans = {other.entity.name: other for other in scopes}
    for field in scope.entity.fields:
        if field.refers_to:
            yield failing.fail(scope, orphans(scope, field, plans.get(field.refers_to)))
    for name, entity in (scope.known or {}).items():
        for field in entity.fields:
            if field.refers_to == scope.entity.name:
                yield failing.fail(scope, parents(scope, entity, field, plans.get(name)))


def orphans(scope: Scope, field: Field, parent: Scope | None) -> sql.Composed:
    """Return the SQL of the records that would come back and refer to nothing."""
    entity = (scope.known or {})[field.refers_to or ""]
    reference = alike.quoting(scope.entity, field.label, [field], column("s", field))
    hint = sql.Literal("")
    return scope.statement(
        """
        select s.row_number, {issue} as issue
        from {plan} p
        join {rows} s using (row_number)
        where p.kind in ('created', 'updated') and s._removed_at is null and {value} is not null
            and (p.kind = 'created' or p.changes ?| array[{column}, '_removed_at'])
            and not exists ({there})
        """,
        issue=scope.issue(field, "unknown_reference", reference=reference, hint=hint),
        value=column("s", field),
        column=sql.Literal(field.column),
        there=_there(scope, entity, parent, column("s", field)),
    )


def parents(scope: Scope, child: Entity, field: Field, plan: Scope | None) -> sql.Composed:
    """Return the SQL of the records that would go while others still refer to them."""
    (key,) = scope.entity.keys
    issue = scope.issue(key, "referred_to", table=sql.Literal(child.title.lower()))
    return scope.statement(
        """
        select p.row_number, {issue} as issue
        from {plan} p
        join {rows} s using (row_number)
        where (p.kind = 'removed' or p.kind = 'updated' and s._removed_at is not null)
            and exists ({there})
        """,
        issue=issue,
        there=_there(scope, child, plan, column("s", key), field),
    )


def _there(
    scope: Scope,
    entity: Entity,
    plan: Scope | None,
    value: sql.Composable,
    field: Field | None = None,
) -> sql.Composed:
    """Return the SQL of the records of an entity that hold a value after the undo.

    They hold it in the `field`, else as their key; the entity may have a `plan` in the same undo.
    """
    names = {
        "table": sql.Identifier(entity.name),
        "held": sql.Identifier("r", (field or entity.keys[0]).column),
        "value": value,
    }
    stands = scope.statement(
        "select from {table} r where r.organization_id = {org} and {held} = {value}"
        " and r._removed_at is null",
        **names,
    )
    if plan is None:
        return stands
    theirs = {"their_plan": plan.names["plan"], "their_rows": plan.names["rows"]}
    planned_key = same_as_planned(entity)
    return scope.statement(
        """
        {stands}
        and not exists (
            select from {their_plan} q where {q_is_r} and q.kind in ('removed', 'updated')
        )
        union all
        select from {their_rows} r
        join {their_plan} q using (row_number)
        where q.kind in ('created', 'updated') and r._removed_at is null and {held} = {value}
        """,
        stands=stands,
        q_is_r=planned_key,
        **names,
        **theirs,
    )


def same_as_planned(entity: Entity) -> sql.Composed:
    """Return the SQL that a record `r` is what `q` plans."""
    return sql.SQL(" and ").join(
        sql.SQL("{} = {}").format(
            sql.Identifier("q", key_column(field)), sql.Identifier("r", field.column)
        )
        for field in entity.keys
    )
