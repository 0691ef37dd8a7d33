"""The plan: what a run would do to each row, found by comparing staging with the target."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg import errors, sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field
from sync_core.engine import checks, staging
from sync_core.engine.checks import failing, uniqueness
from sync_core.engine.messages import NAMED, Named
from sync_core.engine.statements import (
    Scope,
    execute,
    json_object,
    key_text,
    laid_out,
    on_lines,
    shifted,
)
from sync_core.engine.tally import Tally
from sync_core.foundation import db
from sync_core.foundation.vocabulary import OutcomeKind, Removal
from sync_core.records import privacy
from sync_core.records.outcome_format import KEY_SEPARATOR, row_hash
from sync_core.records.privacy import Place
from sync_core.runs.retries import Retried

MEMORY = (  # for joins of a million rows, which would go to disk otherwise
    "set local work_mem = '96MB'; set local hash_mem_multiplier = 2; set local jit = off;"
    " set local default_statistics_target = 10; set local max_parallel_workers_per_gather = 2"
)
PARALLEL = "set local parallel_tuple_cost = 0"  # Postgres guesses that it hands over all rows
ALONE = "set local max_parallel_workers_per_gather = 0"
COUNTED = "select kind, rule, count(*) from {plan} group by kind, rule order by rule"


def make(connection: Connection, scope: Scope) -> Tally:
    """Write the entity's plan, and count it; the plans of the entities before it must stand."""
    db.cursor(connection).execute(f"{MEMORY}; {PARALLEL}")
    staging.do_not_wait(connection)
    scope.run(connection, "analyze {rows} (row_number, _issues, _rule, {keys})")
    found = checks.find(connection, scope)
    if scope.retried:
        scope = narrowed(connection, scope, scope.retried)
    staging.drop(connection, staging.table(scope.run_id, scope.entity, "plan"))
    if not found and _is_all_new(connection, scope):
        return _plan_all(connection, scope)
    differing = compared(scope, checked=found > 0)
    try:
        with connection.begin_nested():
            execute(connection, differing)
    except errors.DiskFull:  # of shared memory, often small in a container: alone it needs none
        db.cursor(connection).execute(ALONE)
        execute(connection, differing)
    if found or scope.reasons:
        execute(connection, left_out(scope))
    if scope.entity.removal != Removal.KEEP and not scope.keyless and not scope.retried:
        execute(connection, removed(scope))
    uniqueness.keep_unique(connection, scope)
    return _count(connection, scope)


def _is_all_new(connection: Connection, scope: Scope) -> bool:
    """Return whether every row that was read is right, and the organization has no record yet."""
    if scope.reasons or any(field.unique for field in scope.entity.fields):
        return False  # of unique values, two rows may have the same
    if _withdrawn(connection, scope):
        return False
    query = "select exists (select from {target} t where t.organization_id = {org})"
    ((held,),) = scope.ask(connection, query)
    return not held


def _plan_all(connection: Connection, scope: Scope) -> Tally:
    """Plan a first load: a view says what a table of all rows would, and costs nothing."""
    scope.run(
        connection,
        "create view {plan} as select s.row_number, 'created' as kind, {s_as_planned},"
        " {s_name} as name, null as rule, null::jsonb as changes, null::jsonb as issues,"
        " null::jsonb as raw, {hash} as row_hash, s.ctid as tid from {rows} s",
        hash=row_hash("s", scope.entity),
    )
    return Tally(read=scope.staged, created=scope.staged, blank=scope.blank)


def narrowed(connection: Connection, scope: Scope, retried: Retried) -> Scope:
    """Leave in staging what had failed in another run, by its key or its row number, and no more.

    The whole sheet has been looked through by then, so that no repeated key slips in. Returns the
    scope with its count.
    """
    gone = scope.run(
        connection,
        """
        delete from {rows} s where not (
            s.row_number in (select o.row_number from {failed} and o.row_number is not null)
            or coalesce({s_full_key} in (select o.key from {failed} and o.key is not null), false)
        )
        """,
        s_full_key=key_text("s", scope.entity, KEY_SEPARATOR),
        failed=scope.statement(
            "outcomes o where {of_run} and o.kind = 'failed'",
            of_run=scope.outcomes_of(retried.run_id, retried.since, retried.until),
        ),
    )
    return replace(scope, staged=scope.staged - gone, blank=0)


def compared(scope: Scope, *, checked: bool) -> sql.Composed:
    """Return the SQL that plans the rows that nothing is wrong with and that differ.

    It makes a table by a query, for only then Postgres plans it in parallel.
    """
    others = [field for field in scope.entity.fields if not field.key]
    differs = [
        sql.SQL("s.{0} is distinct from t.{0}").format(sql.Identifier(field.column))
        for field in others
    ]
    right = "not exists (select from {findings} v where v.row_number = s.row_number)"
    return scope.statement(
        """
        create unlogged table {plan} with (autovacuum_enabled = false) as
        select
            s.row_number,
            case when {t_key} is null then 'created' else 'updated' end as kind,
            {s_as_planned},
            {s_name} as name,
            null::text as rule,
            case when {t_key} is not null then
                {changes}
            end as changes,
            null::jsonb as issues,
            null::jsonb as raw,
            {hash} as row_hash,
            s.ctid as tid
        from {rows} s
        left join {target} t on t.organization_id = {org} and {s_is_t}
        where s._issues is null and s._rule is null
            and {right}
            and (
                {t_key} is null
                or t._removed_at is not null
                or {differs}
            )
        """,
        changes=_changes(others),
        hash=row_hash("s", scope.entity),
        differs=on_lines(differs, "\nor ") if differs else sql.SQL("false"),
        right=sql.SQL(right if checked else "true").format(**scope.names),
    )


def _changes(fields: Sequence[Field]) -> sql.Composed:
    """Return the SQL of what an update changes: `{"city": ["Perth", "Hobart"]}`."""
    parts = [
        laid_out(
            """
            case when s.{column} is distinct from t.{column}
                then jsonb_build_object({name}, jsonb_build_array(t.{column}, s.{column}))
                else '{{}}' end
            """,
            column=sql.Identifier(field.column),
            name=sql.Literal(field.column),
        )
        for field in fields
    ]
    back = laid_out(
        """
        case when t._removed_at is not null
            then jsonb_build_object('_removed_at', jsonb_build_array(t._removed_at, null))
            else '{{}}' end
        """
    )
    return on_lines([*parts, back], "\n|| ")


def left_out(scope: Scope) -> sql.Composed:
    """Return the SQL that plans the rows that a rule skips, or that something is wrong with."""
    reasons = [
        sql.SQL("when {} then {}").format(sql.Literal(skip.name), sql.Literal(skip.sentence))
        for skip in scope.entity.skips
    ]
    reason = sql.SQL("case s._rule {} end").format(sql.SQL(" ").join(reasons)) if reasons else None
    return scope.statement(
        """
        insert into {plan} (row_number, kind, {plan_keys}, name, rule, issues, raw)
        select
            s.row_number,
            case when coalesce(s._rule, v.rule) is null then 'failed' else 'skipped' end,
            {s_keys},
            coalesce({s_name}, 'row ' || s.row_number),
            coalesce(s._rule, v.rule),
            case
                when coalesce(s._rule, v.rule) is null
                then coalesce(s._issues, '[]') || coalesce(v.issues, '[]')
                else jsonb_build_array({skipped})
            end,
            coalesce(s._raw, {raw})
        from {rows} s
        left join (
            select
                row_number,
                min(rule) as rule,
                min(reason) as reason,
                jsonb_agg(issue) filter (where issue is not null) as issues
            from {findings} group by row_number
        ) v using (row_number)
        where s._rule is distinct from {withdrawn}
            and (s._issues is not null or s._rule is not null or v.row_number is not null)
        """,
        skipped=scope.issue(
            scope.entity.keys[0],
            "rule",
            reason=sql.SQL("coalesce({}, v.reason)").format(reason or sql.SQL("null")),
        ),
        raw=failing.typed_cells(scope),
    )


def removed(scope: Scope) -> sql.Composed:
    """Return the SQL that plans the records whose key no row has, not even one that is left out.

    A withdrawn row counts as none. Where only what changed was read, it alone tells what is gone.
    """
    gone = "exists (select from {rows} s where {s_is_t} and s._rule = {withdrawn})"
    if not scope.partial:
        gone = """
            not exists (
                select from {rows} s where {s_is_t} and s._rule is distinct from {withdrawn}
            )
        """
    whole = json_object(
        sql.SQL("{}, t.{}").format(sql.Literal(field.column), sql.Identifier(field.column))
        for field in scope.entity.fields
    )
    return scope.statement(
        """
        insert into {plan} (kind, {plan_keys}, name, changes)
        select
            'removed',
            {t_keys},
            {t_name},
            {whole}
        from {target} t
        where t.organization_id = {org} and t._removed_at is null
            and {gone}
        """,
        whole=whole,
        gone=scope.statement(gone),
    )


def _count(connection: Connection, scope: Scope) -> Tally:
    counts: dict[str, int] = {}
    rules: dict[str, int] = {}
    for kind, rule, count in scope.ask(connection, COUNTED):
        counts[kind] = counts.get(kind, 0) + count
        if rule:
            rules[rule] = count
    read = scope.staged - _withdrawn(connection, scope)
    kept = read - sum(count for kind, count in counts.items() if kind != OutcomeKind.REMOVED)
    return Tally(read=read, unchanged=kept, blank=scope.blank, rules=rules, **counts)


def _withdrawn(connection: Connection, scope: Scope) -> int:
    """Count the rows that tell that their record is gone: like it, they stand outside the sum."""
    if not (scope.entity.withdraws or scope.partial):
        return 0
    query = "select count(*) from {rows} s where s._rule = {withdrawn}"
    ((count,),) = scope.ask(connection, query)
    return int(count)


def standing(connection: Connection, scope: Scope) -> int:
    """Count the organization's records in the target."""
    ((count,),) = scope.ask(
        connection, "select count(*) from {target} t where t.organization_id = {org}"
    )
    return int(count)


def named_rows(connection: Connection, scope: Scope) -> list[Named]:
    """Name the first failed and skipped rows, with their reasons, for the log message.

    Everybody reads that: who is called by something personal is called by the key, or the row.
    """
    rows = scope.ask(
        connection,
        "select {who}, rule, (select string_agg(i ->> 'sentence', '; ')"
        " from jsonb_array_elements(issues) i) from (select *, row_number() over"
        " (partition by kind, rule order by row_number) as place from {plan}"
        " where kind in ({left_out})) p where place <= {most} order by p.row_number",
        most=sql.Literal(NAMED),
        who=_told(scope),
    )
    return [Named(name, reason or "", rule) for name, rule, reason in rows]


def _told(scope: Scope) -> sql.Composable:
    """Return the SQL of what everybody may read of which planned row it is."""
    entity = scope.entity
    hidden = privacy.hidden(entity, Place.LOG)
    if not hidden:
        return sql.SQL("name")
    who: sql.Composable = sql.SQL("null")
    if privacy.may_be_named(entity, hidden):
        who = sql.SQL("name")
    elif privacy.may_be_keyed(entity, hidden):
        who = key_text("p", entity, " ")
    return scope.statement(
        "coalesce(case when not {shifted} then {who} end, 'row ' || {p_row}, 'a record')",
        shifted=shifted(sql.Identifier("p", "issues")),
        who=who,
    )
