"""Undo: a plan that is an earlier run's outcomes turned round, as far as nobody changed them since.

What the run wrote goes back where it still stands; what somebody changed since is kept, and told
field by field; what cannot come back is told as impossible.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine import checks, plan, staging
from sync_core.engine.headers import Columns
from sync_core.engine.statements import (
    Scope,
    column,
    execute,
    issue_of,
    json_object,
    on_lines,
    sentence,
)
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.vocabulary import CHANGED, OutcomeKind, Removal
from sync_core.records.outcome_format import KEY_SEPARATOR, row_hash
from sync_core.records.plan_format import key_column
from sync_core.runs import Run

KEPT = "kept"  # the rule by which a record stays as somebody has made it since
REASONS = ("changed_since", "removed_since", "gone_since", "back_since", "values_dropped")


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
    db.cursor(connection).execute(plan.MEMORY)
    staging.do_not_wait(connection)
    for scope in scopes:
        _plan(connection, scope, undone)
    _settle(connection, scopes)
    staged = [replace(s, staged=staging.count(connection, s.run_id, s.entity)) for s in scopes]
    return staged, {scope.entity.name: _count(connection, scope) for scope in staged}


def _plan(connection: Connection, scope: Scope, undone: Run) -> None:
    staging.drop(connection, staging.table(scope.run_id, scope.entity, "plan"))
    staging.drop(connection, staging.table(scope.run_id, scope.entity))
    execute(connection, turned_round(scope, undone))
    execute(connection, planned(scope))
    scope.run(connection, "create index on {rows} (row_number)")
    scope.run(connection, "create index on {plan} (row_number)")
    scope.run(connection, "analyze {rows}")
    scope.run(connection, "analyze {plan}")


def _count(connection: Connection, scope: Scope) -> Tally:
    """Count the plan; the rows that are read are the run's outcomes that something can come of."""
    counts: dict[str, int] = {}
    for kind, _, count in scope.ask(connection, plan.COUNTED):
        counts[kind] = counts.get(kind, 0) + count
    read = scope.staged - counts.get(OutcomeKind.REMOVED, 0)
    others = sum(count for kind, count in counts.items() if kind != OutcomeKind.REMOVED)
    kept = counts.get(OutcomeKind.SKIPPED, 0)
    rules = {KEPT: kept} if kept else {}
    return Tally(read=read, unchanged=read - others, rules=rules, **counts)


# The outcomes, turned round


def turned_round(scope: Scope, undone: Run) -> sql.Composed:
    """Return the SQL that stages each record that the run changed, as it is to become.

    `o` is what the run did, `n` what is there now, `f` the fields: those that hold what the run
    wrote (`changes`, `former`), and those that something else changed since (`kept`).
    """
    return scope.statement(
        """
        create unlogged table {rows} with (autovacuum_enabled = false) as
        select
            row_number() over (order by o.key collate "C")::integer as row_number,
            {values},
            v._removed_at,
            d.kind as _kind,
            case d.kind
                when 'removed' then {whole}
                when 'updated' then f.changes
            end as _changes,
            case
                when d.reason is not null then jsonb_build_array({reason})
                when d.kind in ('updated', 'skipped') then f.kept
            end as _issues
        from outcomes o
        left join {target} t on t.organization_id = {org} and {t_is_o}
        cross join lateral (
            select
                t.organization_id is not null as is_there,
                t._removed_at is not null as is_removed,
                to_jsonb(t) as cells,
                case o.kind
                    when 'updated' then coalesce(o.changes, '{{}}')
                    when 'removed' then
                        jsonb_build_object('_removed_at', jsonb_build_array(null, t._removed_at))
                    else '{{}}'
                end as pairs
        ) n
        cross join lateral (
            select
                jsonb_object_agg(c.key, jsonb_build_array(c.wrote, c.found))
                    filter (where c.now = c.wrote and c.now <> c.found) as changes,
                jsonb_object_agg(c.key, c.found)
                    filter (where c.now = c.wrote and c.now <> c.found) as former,
                jsonb_agg({changed} order by c.key)
                    filter (where c.now <> c.wrote and c.now <> c.found) as kept,
                coalesce(bool_or(c.key = '_removed_at' and c.now = c.wrote), false) as removed_it
            from (
                select
                    key,
                    value -> 0 as found,
                    value -> 1 as wrote,
                    coalesce(n.cells -> key, 'null') as now
                from jsonb_each(n.pairs)
            ) c
        ) f
        cross join lateral (
            select
                case
                    when o.kind = 'created' and not n.is_there then 'unchanged'
                    when o.kind = 'created' and n.is_removed then 'removed_since'
                    when o.kind = 'created' and o.row_hash = {hash} then 'removed'
                    when o.kind = 'created' then 'changed_since'
                    when o.changes is null then 'values_dropped'
                    when o.kind = 'removed' and not n.is_there then 'created'
                    when o.kind = 'removed' and not n.is_removed then
                        case when n.cells @> o.changes then 'unchanged' else 'back_since' end
                    when o.kind = 'removed' and t._removed_at between o.at and {ended}
                        then 'updated'
                    when o.kind = 'removed' then 'removed_since'
                    when not n.is_there then 'gone_since'
                    when f.changes is null and f.kept is null then 'unchanged'
                    when n.is_removed and not f.removed_it then 'removed_since'
                    when f.changes is null then 'skipped'
                    else 'updated'
                end as verdict
        ) w
        cross join lateral (
            select
                case
                    when w.verdict = 'values_dropped' then 'failed'
                    when w.verdict in ({reasons}) then 'skipped'
                    else w.verdict
                end as kind,
                case when w.verdict in ({reasons}) then w.verdict end as reason
        ) d
        cross join lateral jsonb_populate_record(
            t, case when d.kind = 'created' then o.changes else coalesce(f.former, '{{}}') end
        ) v
        where o.run_id = {undone} and o.entity = {entity} and o.kind in ({changing})
            and o.at between {asked} and {ended}
        """,
        values=on_lines(_values(scope.entity)),
        whole=_whole(scope.entity),
        reason=_reason(),
        t_is_o=_is_outcome(scope.entity),
        changed=_changed(scope.entity),
        hash=row_hash("t", scope.entity),
        reasons=sql.SQL(", ").join(map(sql.Literal, REASONS)),
        undone=sql.Literal(undone.id),
        entity=sql.Literal(scope.entity.name),
        changing=sql.SQL(", ").join(map(sql.Literal, CHANGED)),
        asked=sql.Literal(undone.queued_at),
        ended=sql.Literal(undone.finished_at),
    )


def _values(entity: Entity) -> Iterator[sql.Composable]:
    """Return the SQL of each field: keys of the outcome, as the record may be gone."""
    parts = {field: _part(place, field) for place, field in enumerate(entity.keys, 1)}
    for field in entity.fields:
        yield sql.SQL("{} as {}").format(
            parts.get(field, sql.Identifier("v", field.column)), sql.Identifier(field.column)
        )


def _part(place: int, key: Field) -> sql.Composed:
    """Return the SQL of a part of an outcome's key, typed."""
    return sql.SQL("split_part(o.key, {}, {})::{}").format(
        sql.Literal(KEY_SEPARATOR), sql.Literal(place), sql.SQL(staging.type_name(key.sql_type))
    )


def _is_outcome(entity: Entity) -> sql.Composed:
    pairs = (
        sql.SQL("{} = {}").format(column("t", field), _part(place, field))
        for place, field in enumerate(entity.keys, 1)
    )
    return sql.SQL(" and ").join(pairs)


def _whole(entity: Entity) -> sql.Composed:
    return json_object(
        sql.SQL("{}, {}").format(sql.Literal(field.column), column("t", field))
        for field in entity.fields
    )


def _changed(entity: Entity) -> sql.Composed:
    """Return the SQL of the issue of a field that something else changed since."""
    labels = json.dumps({field.column: field.label for field in entity.fields})
    label = sql.SQL("({}::jsonb ->> c.key)").format(sql.Literal(labels))
    return issue_of(
        label, sql.Literal("changed_since"), sentence("changed_since", {"label": label})
    )


def _reason() -> sql.Composed:
    """Return the SQL of the issue of a record that is kept as a whole, or cannot come back."""
    told = (
        sql.SQL("when {} then {}").format(sql.Literal(code), sql.Literal(CELL_CODES[code].summary))
        for code in REASONS
    )
    said = sql.SQL("case d.reason {} end").format(sql.SQL(" ").join(told))
    return issue_of(sql.Literal(""), sql.SQL("d.reason"), said)


def planned(scope: Scope) -> sql.Composed:
    """Return the SQL that plans the staged records, but for those that are as they were already."""
    return scope.statement(
        """
        create unlogged table {plan} with (autovacuum_enabled = false) as
        select
            s.row_number,
            s._kind as kind,
            {s_as_planned},
            {s_name} as name,
            case when s._kind = 'skipped' then {kept} end as rule,
            s._changes as changes,
            s._issues as issues,
            case when s._kind in ({left_out}) then {raw} end as raw,
            case when s._kind in ('created', 'updated') then {hash} end as row_hash,
            s.ctid as tid
        from {rows} s
        where s._kind <> 'unchanged'
        """,
        kept=sql.Literal(KEPT),
        raw=checks.typed_cells(scope),
        hash=row_hash("s", scope.entity),
    )


# What cannot be, once all of it is known


def _settle(connection: Connection, scopes: Sequence[Scope]) -> None:
    """Fail what cannot come back, or cannot go, until nothing more follows from that."""
    while any(_fail(connection, scope, scopes) for scope in scopes):
        pass


def _fail(connection: Connection, scope: Scope, scopes: Sequence[Scope]) -> bool:
    lost = sum([execute(connection, one) for one in broken_references(scope, scopes)])
    return lost + checks.lose_unique(connection, scope) > 0


def broken_references(scope: Scope, scopes: Sequence[Scope]) -> Iterator[sql.Composed]:
    """Return the SQL that fails what would refer to nothing, and what others still refer to."""
    plans = {other.entity.name: other for other in scopes}
    for field in scope.entity.fields:
        if field.refers_to:
            yield checks.fail(scope, orphans(scope, field, plans.get(field.refers_to)))
    for name, entity in (scope.known or {}).items():
        for field in entity.fields:
            if field.refers_to == scope.entity.name:
                yield checks.fail(scope, parents(scope, entity, field, plans.get(name)))


def orphans(scope: Scope, field: Field, parent: Scope | None) -> sql.Composed:
    """Return the SQL of the records that would come back and refer to nothing."""
    entity = (scope.known or {})[field.refers_to or ""]
    reference = checks.quoting(scope.entity, field.label, [field], column("s", field))
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
