"""Rows that refer to nothing, and what they may have meant."""

from collections.abc import Iterator

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine.checks import alike
from sync_core.engine.statements import (
    Scope,
    column,
    shifted,
)
from sync_core.records import privacy
from sync_core.records.privacy import Place


def references(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds the rows that refer to nothing, for each field that refers."""
    for field in referring(scope):
        parent = _parent(scope, field)
        refer = _to_this_run if parent in scope.together else _to_table
        yield refer(scope, field, parent)


def referring(scope: Scope) -> list[Field]:
    """Return the fields that refer to records of another table."""
    return [field for field in scope.entity.fields if field.refers_to]


def _parent(scope: Scope, field: Field) -> Entity:
    """Return the entity that a field refers to, as the organization decided on it."""
    together = {entity.name: entity for entity in scope.together}
    return together.get(field.refers_to or "") or (scope.known or {})[field.refers_to or ""]


def _parent_names(scope: Scope, field: Field, parent: Entity) -> dict[str, sql.Composable]:
    return {
        "cell_value": sql.Identifier("s", field.column),
        "parent": sql.Identifier(parent.name),
        "parent_key": sql.Identifier(parent.keys[0].column),
        "unknown": _unknown(scope, field, sql.Literal("")),
    }


def _unknown(scope: Scope, field: Field, hint: sql.Composable) -> sql.Composed:
    reference = _reference(scope, field)
    return scope.issue(field, "unknown_reference", reference=reference, hint=hint)


def _reference(scope: Scope, field: Field) -> sql.Composed:
    return alike.quoting(scope.entity, field.label, [field], sql.Identifier("s", field.column))


def _to_table(scope: Scope, field: Field, parent: Entity) -> sql.Composed:
    """Refer to what another resource keeps: it must stand in the table, not removed."""
    return scope.statement(
        """
        insert into {findings}
        select s.row_number, {unknown}
        from {rows} s
        where {cell_value} is not null and s._rule is null and not exists (
            select from {parent} r
            where r.organization_id = {org} and r.{parent_key} = {cell_value}
                and r._removed_at is null
        )
        """,
        **_parent_names(scope, field, parent),
    )


def _to_this_run(scope: Scope, field: Field, parent: Entity) -> sql.Composed:
    """Refer to a row of the same run: it must be there after the run, neither failed nor skipped.

    The first row of a key counts; a parent that was not read must stand in the table.
    """
    theirs = scope.of(parent).names
    failed = scope.issue(
        field,
        "parent_failed",
        cause=sql.SQL("r.row_number"),
        reference=_reference(scope, field),
        row=sql.SQL("r.row_number"),
    )
    return scope.statement(
        """
        insert into {findings}
        select
            s.row_number,
            case
                when r.row_number is null then {unknown}
                when v.kind = 'failed' then {parent_failed}
            end,
            v.rule,
            v.issues -> 0 ->> 'sentence'
        from {rows} s
        left join (
            select {parent_key} as key, min(row_number) as row_number
            from {parent_rows} group by 1
        ) r on r.key = {cell_value}
        left join {parent_plan} v on v.row_number = r.row_number
        where {cell_value} is not null and s._rule is null and (
            v.kind in ({left_out})
            or r.row_number is null and not exists (
                select from {parent} t
                where t.organization_id = {org} and t.{parent_key} = {cell_value}
                    and t._removed_at is null and not exists (
                        select from {parent_plan} p
                        where p.kind = 'removed' and {planned_key} = t.{parent_key}
                    )
            )
        )
        """,
        parent_failed=failed,
        parent_rows=theirs["rows"],
        parent_plan=theirs["plan"],
        planned_key=column("p", parent.keys[0]),
        **_parent_names(scope, field, parent),
    )


def not_synced_yet(connection: Connection, scope: Scope) -> list[Entity]:
    """Return the tables of other resources, without a record, to which rows refer in vain."""
    resource = resources.of_entity(resources.ENTITIES[scope.entity.name])
    of_ours = {entity.name for entity in resource.entities}
    others = [field for field in referring(scope) if field.refers_to not in of_ours]
    return [
        _parent(scope, field)
        for field in others
        if _refers_in_vain(connection, scope, field)
        and not _holds_any(connection, scope, _parent(scope, field))
    ]


def _holds_any(connection: Connection, scope: Scope, parent: Entity) -> bool:
    query = (
        "select exists (select from {parent} r"
        " where r.organization_id = {org} and r._removed_at is null)"
    )
    ((holds,),) = scope.ask(connection, query, parent=sql.Identifier(parent.name))
    return bool(holds)


def _refers_in_vain(connection: Connection, scope: Scope, field: Field) -> bool:
    query = (
        "select exists (select from {plan} where kind = 'failed'"
        " and issues @> jsonb_build_array(jsonb_build_object("
        "'code', 'unknown_reference', 'field', {label}::text)))"
    )
    ((refers,),) = scope.ask(connection, query, label=sql.Literal(field.label))
    return bool(refers)


def suggestions(scope: Scope) -> Iterator[tuple[Field, sql.Composed]]:
    """Return the SQL that tells what references may have meant: keys that nearly are the same."""
    for field in referring(scope):
        if field not in privacy.hidden(scope.entity, Place.LOG):
            yield field, _suggestion(scope, field, _parent(scope, field))


def _suggestion(scope: Scope, field: Field, parent: Entity) -> sql.Composed:
    value = sql.Identifier("s", field.column)
    near = sql.SQL("near.key")
    hint = sql.SQL(
        "format(', but %s does: only %s differ', near.key, case when lower(near.key) = lower({})"
        " then 'capitals' when {} = {} then 'capitals, blanks, marks or zeros in front'"
        " else 'letters that look alike' end)"
    ).format(value, alike.bare(near), alike.bare(value))
    return scope.statement(
        """
        with lost as materialized (
            select distinct {value} as value
            from {findings} v
            join {rows} s using (row_number)
            where {is_lost}
        ),
        near as materialized (
            select value, key
            from (select value, {folded_value} as folded from lost) l
            join (
                select {folded_key} as folded, min(key) as key
                from ({there}) k where key is not null group by 1
            ) t using (folded)
        )
        update {findings} v set issue = {with_hint}
        from {rows} s
        join near on near.value = {value}
        where s.row_number = v.row_number and {is_lost}
        """,
        value=value,
        with_hint=_unknown(scope, field, hint),
        folded_key=alike.folded(sql.Identifier("key")),
        folded_value=alike.folded(sql.Identifier("value")),
        there=alike.keys_known(scope, parent),
        is_lost=sql.SQL(
            "v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = {} and not {}"
        ).format(sql.Literal(field.label), shifted(sql.Identifier("s", "_issues"))),
    )
