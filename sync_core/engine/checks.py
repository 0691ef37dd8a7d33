"""What only the whole sheet, or the table, shows of a row: repeats, references, unique values."""

from collections.abc import Iterator, Sequence

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field, Text
from sync_core.catalogue.resource import Entity
from sync_core.engine import ambiguity
from sync_core.engine.statements import (
    Scope,
    column,
    execute,
    json_object,
    listed,
    same,
    shifted,
    told,
)
from sync_core.foundation.vocabulary import Removal
from sync_core.records import privacy
from sync_core.records.privacy import Place

OTHER_ALPHABETS = "авекмнорстухіјѕАВЕКМНОРСТУХІЈЅαβεζηικμνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"  # Cyrillic, Greek
LOOK_LIKE = 2 * "abekmhopctyxijs" + 2 * "abezhikmnoptyx"  # what their capitals look like

# Postgres guesses that hardly a row refers to nothing, and looks through all rows for each of them.
HASHED = "set local enable_nestloop = off"
AS_USUAL = "set local enable_nestloop to default"
FINDINGS = (
    "create unlogged table {findings} (row_number integer, issue jsonb, rule text, reason text)"
)


def find(connection: Connection, scope: Scope) -> int:
    """Write down the rows that the whole sheet, or the tables, show to be wrong.

    They repeat a key, refer to nothing, or hold what may mean something else than it was read as.
    Returns how many issues there are.
    """
    scope.run(connection, "drop table if exists {findings}")
    scope.run(connection, FINDINGS)
    found = execute(connection, repeated_keys(scope)) if scope.repeats else 0
    if scope.observed.keys_beyond_ascii:
        found += sum(execute(connection, one) for one in twins(scope))
    if scope.observed.keys_of_digits and not scope.partial:
        found += sum(execute(connection, one) for one in lost_zeros(scope))
    if lost := sum(execute(connection, one) for one in references(scope)):
        scope.run(connection, HASHED)
        for _, one in suggestions(scope):
            execute(connection, one)
        scope.run(connection, AS_USUAL)
    return found + lost + sum(execute(connection, one) for one in ambiguity.refusals(scope))


def repeated_keys(scope: Scope) -> sql.Composed:
    """Return the SQL that finds the rows whose key stands in an earlier row."""
    label = " + ".join(field.label for field in scope.entity.keys)
    issue = scope.issue(
        scope.entity.keys[0],
        "repeated_key",
        key=quoting(scope.entity, label, scope.entity.keys, scope.names["s_key"]),
        row=sql.SQL("first"),
    )
    return scope.statement(
        """
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s
        join (
            select {keys}, min(row_number) as first
            from {rows} group by {keys} having count(*) > 1
        ) t on {s_is_t}
        where s.row_number > first and s._rule is null
        """,
        issue=issue,
    )


def twins(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds the rows whose key people cannot tell from another one.

    It has letters of another alphabet, or of another width, and the other one may have none.
    """
    field, *others = scope.entity.keys
    if others or not isinstance(field, Text) or field in privacy.hidden(scope.entity, Place.LOG):
        return
    value = sql.Identifier("s", field.column)
    yield scope.statement(
        """
        with odd as materialized (
            select row_number, {value} as key, {alike_value} as alike
            from {rows} s
            where s._rule is null and octet_length({value}) <> char_length({value})
        ),
        near as materialized (
            select row_number, min(k.key) as key
            from odd join (select key, {alike_key} as alike from ({there}) t) k using (alike)
            where lower(k.key) <> lower(odd.key)
            group by 1
        )
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s join near using (row_number)
        """,
        value=value,
        alike_value=_alike(value),
        alike_key=_alike(sql.Identifier("key")),
        there=_there(scope, scope.entity),
        issue=scope.issue(
            field,
            "looks_like_another",
            key=quoting(scope.entity, field.label, [field], value),
            other=sql.SQL("near.key"),
        ),
    )


def lost_zeros(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds new keys that are a known one without its zeros, which is gone.

    Programs that take a code for a number make 7 of 007, and 7.0 of 7.
    """
    field, *others = scope.entity.keys
    if others or not isinstance(field, Text) or field in privacy.hidden(scope.entity, Place.LOG):
        return
    value = sql.Identifier("s", field.column)
    yield scope.statement(
        """
        with new as materialized (
            select row_number, ltrim(regexp_replace({value}, '[.]0$', ''), '0') as digits
            from {rows} s
            where s._rule is null and {value} ~ '^[0-9]+([.]0)?$' and not exists (
                select from {target} t where {s_is_t} and t._removed_at is null
            )
        ),
        near as materialized (
            select n.row_number, min(t.{key}) as key
            from new n join {target} t on ltrim(t.{key}, '0') = n.digits
            where t.organization_id = {org} and t._removed_at is null
                and not exists (select from {rows} s where {s_is_t})
            group by 1
        )
        insert into {findings}
        select s.row_number, {issue}
        from {rows} s join near using (row_number)
        """,
        value=value,
        key=sql.Identifier(field.column),
        issue=scope.issue(
            field,
            "zeros_lost",
            key=quoting(scope.entity, field.label, [field], value),
            other=sql.SQL("near.key"),
        ),
    )


def references(scope: Scope) -> Iterator[sql.Composed]:
    """Return the SQL that finds the rows that refer to nothing, for each field that refers."""
    for field in _referring(scope):
        parent = _parent(scope, field)
        refer = _to_this_run if parent in scope.together else _to_table
        yield refer(scope, field, parent)


def _referring(scope: Scope) -> list[Field]:
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
    return quoting(scope.entity, field.label, [field], sql.Identifier("s", field.column))


def quoting(
    entity: Entity, label: str, fields: Sequence[Field], cell: sql.Composable
) -> sql.Composed:
    """Return the SQL of a label with what its cell in `s` holds, where everybody may read that."""
    hidden = privacy.hidden(entity, Place.LOG)
    alone = sql.SQL("{}::text").format(sql.Literal(label))
    both = sql.SQL("{} || {}::text").format(sql.Literal(f"{label} "), cell)
    if not hidden:
        return both
    if set(fields) & set(hidden):
        return alone
    return sql.SQL("case when {} then {} else {} end").format(
        shifted(sql.Identifier("s", "_issues")), alone, both
    )


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


def suggestions(scope: Scope) -> Iterator[tuple[Field, sql.Composed]]:
    """Return the SQL that tells what references may have meant: keys that nearly are the same."""
    for field in _referring(scope):
        if field not in privacy.hidden(scope.entity, Place.LOG):
            yield field, _suggestion(scope, field, _parent(scope, field))


def _suggestion(scope: Scope, field: Field, parent: Entity) -> sql.Composed:
    value = sql.Identifier("s", field.column)
    near = sql.SQL("near.key")
    hint = sql.SQL(
        "format(', but %s does: only %s differ', near.key, case when lower(near.key) = lower({})"
        " then 'capitals' when {} = {} then 'capitals, blanks, marks or zeros in front'"
        " else 'letters that look alike' end)"
    ).format(value, _bare(near), _bare(value))
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
        folded_key=_folded(sql.Identifier("key")),
        folded_value=_folded(sql.Identifier("value")),
        there=_there(scope, parent),
        is_lost=sql.SQL(
            "v.issue ->> 'code' = 'unknown_reference' and v.issue ->> 'field' = {} and not {}"
        ).format(sql.Literal(field.label), shifted(sql.Identifier("s", "_issues"))),
    )


def _there(scope: Scope, parent: Entity) -> sql.Composed:
    """Return the SQL of the keys that references may name."""
    key = sql.Identifier(parent.keys[0].column)
    known = sql.SQL(
        "select t.{} as key from {} t where t.organization_id = {} and t._removed_at is null"
    ).format(key, sql.Identifier(parent.name), scope.names["org"])
    if parent not in (*scope.together, scope.entity):
        return known
    read = sql.SQL(" union select r.{} from {} r").format(key, scope.of(parent).names["rows"])
    return known + read


def _folded(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a bare key in which letters of all alphabets that look alike are one."""
    return _bare(_alike(key))


def _alike(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a key in small letters, those that look alike all in one alphabet."""
    return sql.SQL("translate(lower(normalize({}, nfkc)), {}, {})").format(
        key, sql.Literal(OTHER_ALPHABETS), sql.Literal(LOOK_LIKE)
    )


def _bare(key: sql.Composable) -> sql.Composed:
    """Return the SQL of a key without capitals, blanks, marks, and zeros in front of numbers."""
    zeros = sql.SQL("regexp_replace(lower({}), '(^|[^0-9])0+([0-9])', '\\1\\2', 'g')").format(key)
    bare = sql.SQL("regexp_replace({}, '[^[:alnum:]]+', '', 'g')").format(zeros)
    return sql.SQL("ltrim({}, '0')").format(bare)


def keep_unique(connection: Connection, scope: Scope) -> None:
    """Fail the planned rows whose unique value another record will hold after the run.

    A row that fails keeps its old value, which may cost another row its new one: so this is
    asked again until nothing changes. Who holds a value already wins, then the first row.
    """
    unique = unique_fields(scope.entity)
    if unique:
        scope.run(connection, "analyze {plan} (row_number, kind, {plan_keys})")
    while lose_unique(connection, scope):
        pass
    for field in unique:
        for one in taken_besides(scope, field):
            execute(connection, one)


def unique_fields(entity: Entity) -> list[Field]:
    """Return the fields of which no two records hold the same value."""
    return [field for field in entity.fields if field.unique]


def lose_unique(connection: Connection, scope: Scope) -> int:
    """Fail the rows that lose their unique value once; returns how many."""
    statements = (one for field in unique_fields(scope.entity) for one in taken(scope, field))
    return sum([execute(connection, one) for one in statements])


def taken(scope: Scope, field: Field) -> Iterator[sql.Composed]:
    """Return the SQL that fails the rows whose unique value a record holds, or an earlier row."""
    wanted = _wanted(scope, field)
    yield fail(scope, _held(scope, field, wanted))
    yield fail(scope, _repeated(scope, field, wanted))


def taken_besides(scope: Scope, field: Field) -> Iterator[sql.Composed]:
    """Return the SQL that tells it of the rows that have failed anyway."""
    failed = _failed(scope, field)
    yield _tell(scope, _held(scope, field, failed))
    yield _tell(scope, _repeated(scope, field, failed))


def _wanted(scope: Scope, field: Field) -> sql.Composed:
    """Return the rows that get a new value: only these can take one from somebody."""
    return scope.statement(
        """
        select p.row_number, {p_keys}, s.{value} as _value
        from {plan} p join {rows} s using (row_number)
        where s.{value} is not null
            and (p.kind = 'created' or p.kind = 'updated' and p.changes ? {column})
        """,
        **_about(field),
    )


def _failed(scope: Scope, field: Field) -> sql.Composed:
    """Return the rows that failed, but not for this value."""
    return scope.statement(
        """
        select p.row_number, {p_keys}, s.{value} as _value
        from {plan} p join {rows} s using (row_number)
        where s.{value} is not null and p.kind = 'failed' and not p.issues
            @> jsonb_build_array(jsonb_build_object('field', {label}, 'code', 'not_unique'))
        """,
        **_about(field),
    )


def _held(scope: Scope, field: Field, candidates: sql.Composed) -> sql.Composed:
    """Return the candidates whose value a record of the table holds and will not let go."""
    return scope.statement(
        """
        select distinct on (s.row_number) s.row_number, {issue} as issue
        from (
            {candidates}
        ) s
        join {target} t on t.organization_id = {org} and t.{value} = s._value
            and ({s_keys}) is distinct from ({t_keys})
        left join {rows} n on {n_is_t}
        where not exists (
            select from {plan} p
            where {p_is_t} and (
                p.kind = 'updated' and p.changes ? {column} or p.kind = 'removed' and {deletes}
            )
        )
        order by s.row_number, n.row_number
        """,
        candidates=candidates,
        issue=_taken(scope, field, told("t", scope.entity) or sql.SQL("null")),
        n_is_t=same("n", "t", scope.entity.keys),
        deletes=sql.Literal(scope.entity.removal == Removal.DELETE),
        **_about(field),
    )


def _repeated(scope: Scope, field: Field, candidates: sql.Composed) -> sql.Composed:
    """Return the candidates whose value an earlier row gets."""
    return scope.statement(
        """
        select s.row_number, {issue} as issue
        from (
            {candidates}
        ) s
        join (
            select distinct on (_value) * from (
                {wanted}
            ) w order by _value, row_number
        ) n on n._value = s._value and n.row_number <> s.row_number
            and ({s_keys}) is distinct from ({n_keys})
        """,
        candidates=candidates,
        wanted=_wanted(scope, field),
        issue=_taken(scope, field, sql.SQL("null")),
        n_keys=listed("n", scope.entity.keys),
        **_about(field),
    )


def _about(field: Field) -> dict[str, sql.Composable]:
    return {
        "value": sql.Identifier(field.column),
        "column": sql.Literal(field.column),
        "label": sql.Literal(field.label),
    }


def _taken(scope: Scope, field: Field, otherwise: sql.Composable) -> sql.Composed:
    row = sql.SQL("null" if scope.undoes else "'row ' || n.row_number")
    holder = sql.SQL("coalesce({}, {}, 'another record')").format(row, otherwise)
    return scope.issue(field, "not_unique", label=sql.Literal(field.label), holder=holder)


def fail(scope: Scope, losers: sql.Composed) -> sql.Composed:
    """Return the SQL that fails planned rows: `losers` gives their numbers and issues."""
    return scope.statement(
        """
        update {plan} p
        set
            kind = 'failed',
            changes = null,
            issues = jsonb_build_array(lost.issue),
            raw = {raw}
        from (
            {losers}
        ) lost
        join {rows} s using (row_number)
        where p.row_number = lost.row_number
        """,
        losers=losers,
        raw=typed_cells(scope),
    )


def _tell(scope: Scope, losers: sql.Composed) -> sql.Composed:
    return scope.statement(
        """
        update {plan} p
        set issues = issues || lost.issue
        from (
            {losers}
        ) lost
        where p.row_number = lost.row_number
        """,
        losers=losers,
    )


def typed_cells(scope: Scope) -> sql.Composed:
    """Return the SQL of a row's cells under their headers, as the fields read them."""
    pairs = (
        sql.SQL("{}, {}::text").format(
            sql.Literal(scope.columns.headers[index]), sql.Identifier("s", field.column)
        )
        for field, index in scope.columns.fields
    )
    return sql.SQL("jsonb_strip_nulls({})").format(json_object(pairs))
