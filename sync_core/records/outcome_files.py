"""The rows of a run as they stand in files: all its outcomes, or those that did not make it.

While the plans of a run wait for a person, they stand in the files in place of outcomes.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.catalogue import issue as issues
from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.issue import part
from sync_core.foundation import csv_writer
from sync_core.foundation.vocabulary import OutcomeKind
from sync_core.organizations.people import Person
from sync_core.records import privacy
from sync_core.records.failures import by_cause
from sync_core.records.outcomes import of_run, table
from sync_core.records.privacy import Outcomes, Place
from sync_core.runs import Run, sheet_facts

Column = sa.ColumnElement[Any]


def outcomes(connection: Connection, run: Run, *readers: Person) -> sa.Select[Any]:
    """Return the query of all that the run did to rows, by table and row."""
    kept = table(connection, run)
    seen = privacy.outcomes(Place.EXPORT, *readers, table=kept)
    return (
        sa.select(
            csv_writer.text(_title(kept)).label("Table"),
            kept.c.row_number.label("Row"),
            kept.c.kind.label("Outcome"),
            csv_writer.text(seen.name).label("Name"),
            csv_writer.text(seen.key).label("Key"),
            csv_writer.text(kept.c.rule).label("Rule"),
            csv_writer.text(_reasons(seen)).label("Reasons"),
            csv_writer.text(_changes(seen)).label("Changes"),
            csv_writer.moment(kept.c.at).label(csv_writer.utc("Time")),
        )
        .where(of_run(run, kept))
        .order_by(
            kept.c.entity,
            kept.c.row_number.nulls_last(),
            privacy.outcomes(Place.SORT, *readers, table=kept).order,
        )
    )


def failures(connection: Connection, run: Run, *readers: Person) -> sa.Select[Any]:
    """Return the query of the failed rows as their page lists them, a line for each wrong cell.

    Beside it the columns of their sheets.
    """
    kept = table(connection, run)
    seen = privacy.outcomes(Place.EXPORT, *readers, table=kept)
    cells = _cells(connection, run, seen)
    rows = [cell.label(f"cell_{place}") for place, cell in enumerate(cells.values())]
    found = by_cause(run, seen, _title(kept).label("title"), *rows)
    line = found.selected_columns
    issue = line.issue
    ours = [
        csv_writer.text(line.title).label("Table"),
        line.row_number.label("Row"),
        csv_writer.text(part(issue, "cell")).label("Cell"),
        csv_writer.text(line.value).label("Value"),
        csv_writer.text(issues.told(issue)).label("Problem"),
        _advice().op("->>")(line.code).label("Fix"),
    ]
    theirs = [
        csv_writer.text(line[f"cell_{place}"]).label(header) for place, header in enumerate(cells)
    ]
    return found.with_only_columns(*ours, *theirs)


def skips(connection: Connection, run: Run, *readers: Person) -> sa.Select[Any]:
    """Return the query of the rows that a rule left out, with the columns of their sheets."""
    kept = table(connection, run)
    seen = privacy.outcomes(Place.EXPORT, *readers, table=kept)
    ours = [
        csv_writer.text(_title(kept)).label("Table"),
        kept.c.row_number.label("Row"),
        csv_writer.text(kept.c.rule).label("Rule"),
        csv_writer.text(_reasons(seen)).label("Reasons"),
    ]
    cells = _cells(connection, run, seen).items()
    return (
        sa.select(*ours, *(csv_writer.text(cell).label(header) for header, cell in cells))
        .where(of_run(run, kept), kept.c.kind == OutcomeKind.SKIPPED)
        .order_by(kept.c.entity, kept.c.row_number)
    )


def _cells(connection: Connection, run: Run, seen: Outcomes) -> dict[str, Column]:
    """Return the raw cells of a row, by the headers of the sheets that the run has read."""
    entities = resources.by_name(run.resource).entities
    headers = sheet_facts.headers(connection, run.id)
    return {header: seen.under(header) for header in headers if seen.shows(header, entities)}


def _advice() -> Column:
    return privacy.constant({code: found.advice for code, found in CELL_CODES.items()})


def _title(kept: sa.FromClause) -> Column:
    titles = {name: entity.title for name, entity in resources.ENTITIES.items()}
    return sa.case(titles, value=kept.c.entity, else_=kept.c.entity)


def _reasons(seen: Outcomes) -> Column:
    """Return the SQL of the issues of a row, each with its cell."""
    issue = sa.func.jsonb_array_elements(seen.issues).table_valued(
        sa.column("value", JSONB), name="issue"
    )
    value = issue.c.value
    told = sa.func.concat(part(value, "cell") + sa.literal(": "), issues.told(value))
    return sa.select(sa.func.string_agg(told, "; ")).select_from(issue).scalar_subquery()


def _changes(seen: Outcomes) -> Column:
    """Return the SQL of what an update changed, before and after, or what a removed row held."""
    change = sa.func.jsonb_each(seen.changes).table_valued(
        sa.column("key", sa.Text), sa.column("value", JSONB), name="told"
    )
    column, value = change.c.key, change.c.value
    label = sa.func.coalesce(_labels().op("->")(seen.table.c.entity).op("->>")(column), column)
    before, after = (sa.func.coalesce(value[place].astext, "blank") for place in (0, 1))
    both = sa.func.concat(before, " → ", after)
    alone = sa.func.coalesce(value.op("#>>")(sa.literal_column("'{}'")), "blank")
    told = sa.case((sa.func.jsonb_typeof(value) == "array", both), else_=alone)
    pairs = sa.func.string_agg(sa.func.concat(label, ": ", told), "; ")
    return sa.select(pairs).select_from(change).scalar_subquery()


def _labels() -> Column:
    """Return the SQL of the label of each column of each entity."""
    return privacy.constant(
        {
            name: {field.column: field.label for field in entity.fields}
            for name, entity in resources.ENTITIES.items()
        }
    )
