"""What a run did, turned round: the SQL of the rows and of the plan of its undo."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from psycopg import sql

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.engine import staging
from sync_core.engine.checks import failing
from sync_core.engine.statements import (
    Scope,
    column,
    issue_of,
    json_object,
    on_lines,
    same,
    sentence,
)
from sync_core.foundation.vocabulary import CHANGED
from sync_core.records.outcome_format import KEY_SEPARATOR, row_hash
from sync_core.runs import Run

REMOVED_AT = "_removed_at"  # the column of ours that goes back, too
KEPT = "kept"  # the rule by which a record stays as somebody has made it since
REASONS = ("changed_since", "removed_since", "gone_since", "back_since", "values_dropped")


def rows(scope: Scope, undone: Run, *, deleted: bool) -> sql.Composed:
    """Return the SQL that stages each record that the run changed, as it is to become.

    `o` is what the run did, `t` the record as it is, `w` what comes of it: a kind of outcome, or
    why the record is kept. `deleted` tells whether the run deleted what it removed, or only marked
    it: then a record that is not there went by somebody else.
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
        removed=_removed(scope, sql.Literal(ended), sql.Literal(deleted)),
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


def _removed(scope: Scope, ended: sql.Literal, deleted: sql.Literal) -> sql.Composed:
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
                    when t.organization_id is null and {deleted} then 'created'
                    when t.organization_id is null then 'gone_since'
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
        deleted=deleted,
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


def plan(scope: Scope) -> sql.Composed:
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
        raw=failing.typed_cells(scope),
        hash=row_hash("s", scope.entity),
    )
