"""Undo: a plan that is an earlier run's outcomes turned round, as far as nobody changed them since.

What the run wrote goes back where it still stands; what somebody changed since is kept, and told
field by field; what cannot come back is told as impossible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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
    same,
    sentence,
)
from sync_core.engine.tally import Tally
from sync_core.engine.work import Work
from sync_core.foundation import db
from sync_core.foundation.vocabulary import CHANGED, OutcomeKind, Removal
from sync_core.records.outcome_format import KEY_SEPARATOR, row_hash
from sync_core.records.plan_format import key_column
from sync_core.runs import Run

REMOVED_AT = "_removed_at"  # the column of ours that goes back, too
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

    `o` is what the run did, `t` the record as it is, `w` what comes of it: a kind of outcome, or
    why the record is kept.
    """
    ended = undone.finished_at or undone.queued_at  # it has ended: only what was applied is undone
    return scope.statement(
        """
        create unlogged table {rows} with (autovacuum_enabled = false) as
        with o as materialized (
            select
                row_number() over (order by key collate "C")::integer as row_number,
                kind,
                {parts},
                changes,
                row_hash,
                at
            from outcomes o
            where {of_run} and kind in ({changing})
        )
        {created}
        union all
        {updated}
        union all
        {removed}
        """,
        parts=on_lines(_parts(scope.entity)),
        of_run=scope.outcomes_of(undone.id, undone.queued_at, ended),
        changing=sql.SQL(", ").join(map(sql.Literal, CHANGED)),
        created=_created(scope),
        updated=_updated(scope),
        removed=_removed(scope, sql.Literal(ended)),
    )


def _created(scope: Scope) -> sql.Composed:
    """Return the SQL of the records that the run created: they go, if they are as it wrote them."""
    return scope.statement(
        """
        select
            o.row_number,
            {values},
            t._removed_at,
            {kind} as _kind,
            case when w.verdict = 'removed' then {whole} end as _changes,
            {reason} as _issues
        from o
        left join {target} t on t.organization_id = {org} and {t_is_o}
        cross join lateral (
            select
                case
                    when t.organization_id is null then 'unchanged'
                    when t._removed_at is not null then 'removed_since'
                    when o.row_hash = {hash} then 'removed'
                    else 'changed_since'
                end as verdict
            offset 0
        ) w
        where o.kind = 'created'
        """,
        **_names(scope.entity),
        values=_values(scope.entity, {}),
        whole=json_object(
            sql.SQL("{}, {}").format(sql.Literal(field.column), column("t", field))
            for field in scope.entity.fields
        ),
        hash=row_hash("t", scope.entity),
    )


def _updated(scope: Scope) -> sql.Composed:
    """Return the SQL of the records that the run updated: field by field, what it wrote goes back.

    `c` compares what a cell is now with what the run found and wrote.
    """
    names = [*(field.column for field in _others(scope.entity)), REMOVED_AT]
    cells = {name: _Cell(place, name) for place, name in enumerate(names)}
    types = {field: staging.type_name(field.sql_type) for field in _others(scope.entity)}
    return scope.statement(
        """
        select
            o.row_number,
            {values},
            {removed_at},
            {kind},
            case when w.verdict = 'updated' then {changes} end,
            coalesce({reason}, case when w.verdict in ('updated', 'skipped') then {kept} end)
        from o
        left join {target} t on t.organization_id = {org} and {t_is_o}
        cross join lateral (
            select
                {compared}
            offset 0
        ) c
        cross join lateral (
            select
                case
                    when o.changes is null then 'values_dropped'
                    when t.organization_id is null then 'gone_since'
                    when not ({any_goes} or {any_stays}) then 'unchanged'
                    when t._removed_at is not null and {removed_otherwise} then 'removed_since'
                    when {any_goes} then 'updated'
                    else 'skipped'
                end as verdict
            offset 0
        ) w
        where o.kind = 'updated'
        """,
        **_names(scope.entity),
        values=_values(scope.entity, {f: cells[f.column].value(of) for f, of in types.items()}),
        removed_at=cells[REMOVED_AT].value("timestamptz"),
        changes=on_lines((cell.change for cell in cells.values()), "\n|| "),
        kept=_kept(scope.entity, cells),
        compared=on_lines(cell.compared for cell in cells.values()),
        any_goes=sql.SQL(" or ").join(cell.goes for cell in cells.values()),
        any_stays=sql.SQL(" or ").join(cell.stays for cell in cells.values()),
        removed_otherwise=sql.SQL("to_jsonb(t._removed_at) is distinct from {} -> 1").format(
            cells[REMOVED_AT].was
        ),
    )


def _removed(scope: Scope, ended: sql.Literal) -> sql.Composed:
    """Return the SQL of the records that the run removed: they return."""
    return scope.statement(
        """
        select
            o.row_number,
            {values},
            null::timestamptz,
            {kind},
            case
                when w.verdict = 'updated' then
                    jsonb_build_object('_removed_at', jsonb_build_array(t._removed_at, null))
            end,
            {reason}
        from o
        left join {target} t on t.organization_id = {org} and {t_is_o}
        cross join lateral (
            select
                case
                    when o.changes is null then 'values_dropped'
                    when t.organization_id is null then 'created'
                    when t._removed_at between o.at and {ended} then 'updated'
                    when t._removed_at is not null then 'removed_since'
                    when to_jsonb(t) @> o.changes then 'unchanged'
                    else 'back_since'
                end as verdict
            offset 0
        ) w
        cross join lateral jsonb_populate_record(
            t, case when w.verdict = 'created' then o.changes else '{{}}' end
        ) v
        where o.kind = 'removed'
        """,
        **_names(scope.entity),
        values=_values(scope.entity, {f: column("v", f) for f in _others(scope.entity)}),
        ended=ended,
    )


def _names(entity: Entity) -> dict[str, sql.Composable]:
    """Return what each of the three is made with."""
    return {"t_is_o": same("t", "o", entity.keys), "kind": _kind(), "reason": _reason()}


def _kind() -> sql.Composed:
    return sql.SQL(
        "case when w.verdict = 'values_dropped' then 'failed' when w.verdict in ({}) then 'skipped'"
        " else w.verdict end"
    ).format(sql.SQL(", ").join(map(sql.Literal, REASONS)))


def _reason() -> sql.Composed:
    """Return the SQL of the issue of a record that is kept as a whole, or cannot come back."""
    told = (
        sql.SQL("when {} then {}").format(sql.Literal(code), sql.Literal(CELL_CODES[code].summary))
        for code in REASONS
    )
    said = sql.SQL("case w.verdict {} end").format(sql.SQL(" ").join(told))
    return sql.SQL("case when w.verdict in ({}) then jsonb_build_array({}) end").format(
        sql.SQL(", ").join(map(sql.Literal, REASONS)),
        issue_of(sql.Literal(""), sql.SQL("w.verdict"), said),
    )


def _parts(entity: Entity) -> Iterator[sql.Composed]:
    """Return the SQL of the parts of an outcome's key, typed: its record may be gone."""
    for place, key in enumerate(entity.keys, 1):
        yield sql.SQL("split_part(key, {}, {})::{} as {}").format(
            sql.Literal(KEY_SEPARATOR),
            sql.Literal(place),
            sql.SQL(staging.type_name(key.sql_type)),
            sql.Identifier(key.column),
        )


def _values(entity: Entity, given: Mapping[Field, sql.Composable]) -> sql.Composed:
    """Return the SQL of all fields: of keys as the outcome has them, of others as they are now."""
    return on_lines(
        sql.SQL("{} as {}").format(
            given.get(field, column("o" if field.key else "t", field)),
            sql.Identifier(field.column),
        )
        for field in entity.fields
    )


def _others(entity: Entity) -> list[Field]:
    return [field for field in entity.fields if not field.key]


@dataclass(frozen=True)
class _Cell:
    """The SQL of what is to happen to a column of a record that the run updated."""

    place: int
    name: str

    @property
    def goes(self) -> sql.Identifier:
        """Whether it goes back: what is there is what the run wrote."""
        return sql.Identifier("c", f"goes_{self.place}")

    @property
    def stays(self) -> sql.Identifier:
        """Whether something else changed it since."""
        return sql.Identifier("c", f"stays_{self.place}")

    @property
    def compared(self) -> sql.Composed:
        """Both, worked out."""
        return sql.SQL(
            "coalesce(o.changes ? {name} and {now} = {was} -> 1 and {now} <> {was} -> 0, false)"
            " as {goes},\n"
            "coalesce(o.changes ? {name} and {now} <> {was} -> 1 and {now} <> {was} -> 0, false)"
            " as {stays}"
        ).format(
            name=sql.Literal(self.name),
            now=sql.SQL("coalesce(to_jsonb({}), 'null')").format(sql.Identifier("t", self.name)),
            was=self.was,
            goes=sql.Identifier(f"goes_{self.place}"),
            stays=sql.Identifier(f"stays_{self.place}"),
        )

    @property
    def change(self) -> sql.Composed:
        """What the undo changes, as outcomes keep it."""
        return sql.SQL(
            "case when {} then jsonb_build_object({}, jsonb_build_array({was} -> 1, {was} -> 0))"
            " else '{{}}' end"
        ).format(self.goes, sql.Literal(self.name), was=self.was)

    def value(self, sql_type: str) -> sql.Composed:
        """Return what it becomes."""
        return sql.SQL("case when {} then ({} ->> 0)::{} else {} end").format(
            self.goes, self.was, sql.SQL(sql_type), sql.Identifier("t", self.name)
        )

    @property
    def was(self) -> sql.Composed:
        """What the run found and wrote."""
        return sql.SQL("(o.changes -> {})").format(sql.Literal(self.name))


def _kept(entity: Entity, cells: Mapping[str, _Cell]) -> sql.Composed:
    """Return the SQL of the issues of the fields that something else changed since."""
    issues = (
        sql.SQL("case when {} then jsonb_build_array({}) else '[]' end").format(
            cells[field.column].stays, _changed(field)
        )
        for field in _others(entity)
    )
    return sql.SQL("nullif({}, '[]')").format(on_lines(issues, "\n|| "))


def _changed(field: Field) -> sql.Composed:
    label = sql.Literal(field.label)
    return issue_of(
        label, sql.Literal("changed_since"), sentence("changed_since", {"label": label})
    )


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
