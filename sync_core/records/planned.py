"""What a run that waits would do to each row, in the shape of outcomes: read from its plans."""

from collections.abc import Mapping
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.records import plan_format
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.runs import Run

COLUMNS: Mapping[str, type[sa.types.TypeEngine[Any]]] = {  # of a plan, besides its keys
    "row_number": sa.Integer,
    "kind": sa.Text,
    "name": sa.Text,
    "rule": sa.Text,
    "row_hash": sa.BigInteger,
    "changes": JSONB,
    "issues": JSONB,
    "raw": JSONB,
    "tid": sa.types.NullType,  # where the row stands in staging
}

_NO_ROW = sa.cast(sa.null(), sa.Integer)


def hold(connection: Connection, run: Run) -> bool:
    """Keep the plans of a run until the transaction ends; returns whether they are still there."""
    names = ", ".join(
        f"{plan_format.SCHEMA}.{plan_format.table_name(run.id, entity.name, 'plan')}"
        for entity in resources.by_name(run.resource).entities
    )
    try:
        with connection.begin_nested():
            connection.execute(sa.text(f"lock table {names} in access share mode"))
    except sa.exc.ProgrammingError:  # somebody has decided, and maintenance has dropped them
        return False
    return True


def changes(run: Run) -> sa.FromClause:
    """Return the planned changes of all tables of a run that waits, as a table like `outcomes`.

    Beyond what an outcome keeps, a row to be created tells its cells, as a removed one does.
    """
    parts = [_of_entity(run, entity) for entity in resources.by_name(run.resource).entities]
    return sa.union_all(*parts).subquery("planned")


def _of_entity(run: Run, entity: Entity) -> sa.Select[Any]:
    run_id = run.id
    keys = [sa.column(plan_format.key_column(key), key.sql_type) for key in entity.keys]
    columns = [sa.column(name, kind()) for name, kind in COLUMNS.items()]
    plan = _table(run_id, entity, "plan", *columns, *keys)
    kept = plan.c
    cells = sa.case((kept.kind == OutcomeKind.CREATED, _cells(run_id, entity, plan)))
    return sa.select(
        sa.literal(run_id, sa.BigInteger).label("run_id"),
        sa.literal(entity.name, sa.Text).label("entity"),
        kept.kind,
        (_NO_ROW if run.undoes else kept.row_number).label("row_number"),  # of a sheet
        _key(*(kept[key.name] for key in keys)).label("key"),
        kept.name,
        kept.rule,
        kept.row_hash,
        sa.func.coalesce(kept.changes, cells, type_=JSONB).label("changes"),
        kept.issues,
        kept.raw,
        sa.cast(sa.null(), sa.DateTime(timezone=True)).label("at"),
    ).where(_is_found(run_id))


def _is_found(run_id: int) -> sa.ColumnElement[bool]:
    """Return the condition that the run is one of who asks: no wall stands around its plans."""
    found = tables.runs.alias("found")
    return sa.select(found.c.id).where(found.c.id == run_id).exists()


def _table(run_id: int, entity: Entity, what: str, *columns: sa.ColumnClause[Any]) -> sa.FromClause:
    name = plan_format.table_name(run_id, entity.name, what)
    return sa.table(name, *columns, schema=plan_format.SCHEMA).alias(what)


def _key(*parts: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Return the SQL of a key as outcomes keep it; null where a part is missing."""
    texts = [sa.cast(part, sa.Text) for part in parts]
    return reduce(lambda key, text: key.concat(KEY_SEPARATOR).concat(text), texts[1:], texts[0])


def _cells(run_id: int, entity: Entity, plan: sa.FromClause) -> sa.ColumnElement[Any]:
    """Return the SQL of the cells of a planned row, by column: looked up only where it is shown."""
    columns: list[sa.ColumnClause[Any]] = [sa.column(field.column) for field in entity.fields]
    rows = _table(run_id, entity, "rows", sa.column("ctid"), *columns)
    named = (part for column in columns for part in (sa.literal(column.name), rows.c[column.name]))
    cells = sa.select(sa.func.jsonb_build_object(*named, type_=JSONB))
    return cells.where(rows.c.ctid == plan.c.tid).correlate(plan).scalar_subquery()
