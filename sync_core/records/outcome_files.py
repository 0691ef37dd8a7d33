"""The rows of a run as they stand in files: all its outcomes, or those that did not make it."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue import resources
from sync_core.foundation import csv_writer, tables
from sync_core.records import masks
from sync_core.records.masks import MASK
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.runs import Run

_ROWS = tables.outcomes.c
Column = sa.ColumnElement[Any]


def outcomes(run: Run, *, masked: bool) -> sa.Select[Any]:
    """Return the query of all that the run did to rows, by table and row."""
    return (
        sa.select(
            csv_writer.text(_title()).label("Table"),
            _ROWS.row_number.label("Row"),
            _ROWS.kind.label("Outcome"),
            csv_writer.text(name(masked=masked)).label("Name"),
            csv_writer.text(key(masked=masked)).label("Key"),
            csv_writer.text(_ROWS.rule).label("Rule"),
            csv_writer.text(_reasons(masked=masked)).label("Reasons"),
            csv_writer.text(_changes(masked=masked)).label("Changes"),
            csv_writer.moment(_ROWS.at).label("Time"),
        )
        .where(*_of(run))
        .order_by(_ROWS.entity, _ROWS.row_number.nulls_last(), _ROWS.key)
    )


def rejects(connection: Connection, run: Run, *, masked: bool) -> sa.Select[Any]:
    """Return the query of the failed and skipped rows, with the columns of their sheets."""
    ours = [
        csv_writer.text(_title()).label("Table"),
        _ROWS.row_number.label("Row"),
        _ROWS.kind.label("Outcome"),
        csv_writer.text(_reasons(masked=masked)).label("Reasons"),
    ]
    cells = [
        csv_writer.text(_cell(header, masked=masked)).label(header)
        for header in _headers(connection, run.id)
    ]
    return (
        sa.select(*ours, *cells)
        .where(*_of(run), _ROWS.kind.in_(("failed", "skipped")))
        .order_by(_ROWS.entity, _ROWS.row_number)
    )


def _of(run: Run) -> list[sa.ColumnElement[bool]]:
    which = [_ROWS.run_id == run.id, _ROWS.at >= run.queued_at]  # of that month's partition alone
    return [*which, _ROWS.at <= run.finished_at] if run.finished_at else which


def _title() -> Column:
    titles = {name: entity.title for name, entity in resources.ENTITIES.items()}
    return sa.case(titles, value=_ROWS.entity, else_=_ROWS.entity)


def name(*, masked: bool) -> Column:
    """Return the SQL of what people call a row."""
    return _unless(masked, masks.names(), _ROWS.name)


def key(*, masked: bool) -> Column:
    """Return the SQL of a row's key, as people read it."""
    return _unless(masked, masks.keys(), sa.func.replace(_ROWS.key, KEY_SEPARATOR, " · "))


def sentence(issue: Column, *, masked: bool) -> Column:
    """Return the SQL of what an issue says; one that may quote a hidden cell says it in general."""
    told: Column = issue["sentence"].astext
    if not masked:
        return told
    plain = masks.sentences().op("->>")(issue["code"].astext)
    hidden = _is_hidden(issue["field"].astext)
    return sa.case((hidden, sa.func.coalesce(plain, masks.NOT_SAID)), else_=told)


def cell_of(issue: Column, *, masked: bool) -> Column:
    """Return the SQL of the raw cell that an issue is about."""
    field = issue["field"].astext
    shown: Column = _ROWS.raw.op("->>")(field)
    return sa.case((_is_hidden(field) & shown.is_not(None), MASK), else_=shown) if masked else shown


def _unless(masked: bool, entities: list[str], cell: Column) -> Column:  # noqa: FBT001 - it stands first, as in a sentence
    """Mask the cell in the rows of these entities."""
    if not masked or not entities:
        return cell
    return sa.case((_ROWS.entity.in_(entities) & cell.is_not(None), MASK), else_=cell)


def _cell(header: str, *, masked: bool) -> Column:
    """Return the raw cell under a header."""
    entities = masks.entities_with(lambda entity: header.casefold() in masks.headers(entity))
    return _unless(masked, entities, _ROWS.raw[header].astext)


def _headers(connection: Connection, run_id: int) -> list[str]:
    """Collect the columns of the sheets that the run read, each once."""
    kept = tables.checkpoints.c
    sheets = connection.execute(
        sa.select(kept.sheet).where(kept.run_id == run_id).order_by(kept.entity)
    ).scalars()
    return list(dict.fromkeys(h for sheet in sheets for h in sheet["headers"] if h))


def _reasons(*, masked: bool) -> Column:
    """Tell the issues of a row, each with its cell; what may quote a hidden cell does not."""
    issue = sa.func.jsonb_array_elements(_ROWS.issues).table_valued(
        sa.column("value", JSONB), name="issue"
    )
    value = issue.c.value
    said = sentence(value, masked=masked)
    told = sa.func.concat(value["cell"].astext + sa.literal(": "), said)
    return sa.select(sa.func.string_agg(told, "; ")).select_from(issue).scalar_subquery()


def _changes(*, masked: bool) -> Column:
    """Tell what an update changed, before and after, or what a removed row held."""
    change = sa.func.jsonb_each(_ROWS.changes).table_valued(
        sa.column("key", sa.Text), sa.column("value", JSONB), name="change"
    )
    column, value = change.c.key, change.c.value
    label = sa.func.coalesce(masks.labels().op("->")(_ROWS.entity).op("->>")(column), column)
    before, after = (sa.func.coalesce(value[place].astext, "blank") for place in (0, 1))
    both = sa.func.concat(before, " → ", after)
    alone = sa.func.coalesce(value.op("#>>")(sa.literal_column("'{}'")), "blank")
    told: Column = sa.case((sa.func.jsonb_typeof(value) == "array", both), else_=alone)
    if masked:
        told = sa.case((_is_hidden(column), MASK), else_=told)
    pairs = sa.func.string_agg(sa.func.concat(label, ": ", told), "; ")
    return sa.select(pairs).select_from(change).scalar_subquery()


def _is_hidden(name: Column) -> sa.ColumnElement[bool]:
    return masks.columns().op("->")(_ROWS.entity).op("?", is_comparison=True)(name)
