"""How what was read compares with what was known: figures for a guard, and notes for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from psycopg import sql
from sqlalchemy import Connection

from sync_core.catalogue.fields import Field, YesNo
from sync_core.engine.listing import first_of
from sync_core.engine.statements import Scope
from sync_core.engine.tally import Tally
from sync_core.foundation.vocabulary import Removal
from sync_core.runs import figures
from sync_core.runs.figures import Figures


def compare(connection: Connection, scope: Scope, tally: Tally) -> Figures:
    """Find the figures of a plan, and keep them with the run."""
    query = "select count(*), count(_removed_at) from {target} t where t.organization_id = {org}"
    ((standing, removed),) = scope.ask(connection, query)
    found = Figures(
        known=standing - removed,
        absent=_absent(connection, scope, tally, standing, removed),
        new=tally.created,
        read=tally.read,
        read_before=figures.read_before(connection, scope.run_id, scope.entity.name),
        emptied=_emptied(connection, scope) if standing else {},
        absent_before=_absent_before(connection, scope),
        removal=scope.entity.removal,
    )
    if lost := _blanked(connection, scope, tally):
        found = replace(found, blanked=lost, filled=_filled(connection, scope, list(lost)))
    figures.keep(connection, scope.run_id, scope.entity.name, found)
    return found


def _absent(connection: Connection, scope: Scope, tally: Tally, standing: int, removed: int) -> int:
    """Count the records that no row of the source is about."""
    if scope.partial or not standing:
        return 0
    if tally.failed or tally.skipped or scope.entity.withdraws:
        query = """
            select count(*) from {target} t
            where t.organization_id = {org} and t._removed_at is null and not exists (
                select from {rows} s where {s_is_t} and s._rule is distinct from {withdrawn}
            )
            """
        ((count,),) = scope.ask(connection, query)
        return int(count)
    back = 0  # records that were removed, and are in the source again
    if removed and tally.updated:
        query = "select count(*) from {plan} where kind = 'updated' and changes ? '_removed_at'"
        ((back,),) = scope.ask(connection, query)
    return standing - removed - (tally.updated + tally.unchanged - int(back))


def _absent_before(connection: Connection, scope: Scope) -> int:
    """Count the records that were kept though the last sync did not find them either."""
    if scope.entity.removal != Removal.KEEP:
        return 0
    return figures.absent_before(connection, scope.run_id, scope.entity.name)


def _emptied(connection: Connection, scope: Scope) -> dict[str, int]:
    """Count the records that had a value, by the label of each column that is blank in all rows."""
    if scope.partial or not scope.staged:
        return {}
    blank = [f for f in scope.entity.fields if not f.key and not scope.observed.filled.get(f.label)]
    if not blank:
        return {}
    counts = sql.SQL(", ").join(map(_had_a_value, blank))
    query = "select {counts} from {target} t where t.organization_id = {org}"
    (had,) = scope.ask(connection, query, counts=counts)
    if not any(had):
        return {}
    read = " and exists (select from {rows} s where {s_is_t})"  # others keep what they have
    (had,) = scope.ask(connection, query + read, counts=counts)
    return {field.label: count for field, count in zip(blank, had, strict=True) if count}


def _blanked(connection: Connection, scope: Scope, tally: Tally) -> dict[str, int]:
    """Count the records that lose a value, by the label of its column."""
    losing = [field for field in scope.entity.fields if _may_be_blank(scope, field)]
    if not tally.updated or not losing:
        return {}
    query = """
        select c.key, count(*) from {plan} p cross join lateral jsonb_each(p.changes) c
        where p.kind = 'updated' and c.value -> 1 = 'null' and c.value -> 0 <> 'null'
        group by c.key
        """
    lost = dict(scope.ask(connection, query))
    labels = {field.column: field.label for field in losing}
    return {label: lost[column] for column, label in labels.items() if column in lost}


def _may_be_blank(scope: Scope, field: Field) -> bool:
    """Return whether rows may have no value: where every cell holds one, no record loses it."""
    return scope.observed.filled.get(field.label, 0) < max(scope.observed.rows, scope.staged)


def _filled(connection: Connection, scope: Scope, labels: Sequence[str]) -> dict[str, int]:
    """Count the records that have a value, by the label of its column."""
    columns = [sql.Identifier(f.column) for f in scope.entity.fields if f.label in labels]
    counts = sql.SQL(", ").join(sql.SQL("count(t.{})").format(column) for column in columns)
    query = (
        "select {counts} from {target} t where t.organization_id = {org} and t._removed_at is null"
    )
    (had,) = scope.ask(connection, query, counts=counts)
    return dict(zip(labels, had, strict=True))


def _had_a_value(field: Field) -> sql.Composed:
    column = sql.Identifier("t", field.column)
    if isinstance(field, YesNo) and field.default is not None:
        return sql.SQL("count(*) filter (where {} <> {})").format(column, field.default)
    return sql.SQL("count({})").format(column)


def notes(scope: Scope, found: Figures, stays: Mapping[str, int]) -> Iterator[str]:
    """Say what a person should know of the sheet as a whole.

    `stays` counts the records that keep the value of a cell that is blank, by its label.
    """
    title, seen = scope.entity.title, scope.observed
    if found.absent and scope.entity.removal == Removal.KEEP:
        are = "records are" if found.absent > 1 else "record is"
        yield f"{title}: {found.absent:,} known {are} not in the source any more."
    if found.all_keys_changed:
        yield f"{title}: all {found.new:,} keys are new, and none that was known is there."
    for label, count in found.emptied.items() - stays.items():
        had = "records had" if count > 1 else "record had"
        yield f"{title}: {label} is blank in every row, and {count:,} {had} a value."
    for label, count in stays.items():
        keep = "records keep" if count > 1 else "record keeps"
        yield f"{title}: {count:,} {keep} what {label} was, for the cell is blank."
    if seen.damaged:
        have = "cells have" if seen.damaged > 1 else "cell has"
        as_in = "Caf\N{REPLACEMENT CHARACTER}"
        where = first_of(seen.damaged_cells, seen.damaged)
        yield f"{title}: {seen.damaged:,} {have} lost letters, as in {as_in}: {where}."
    if scope.keyless and scope.entity.removal != Removal.KEEP:
        rows = "rows" if scope.keyless > 1 else "row"
        yield (
            f"{title}: nothing was removed, for the key of {scope.keyless:,} {rows} cannot be read."
        )
