"""Two runs beside each other, from the shell."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.cli import run_json
from sync_core.cli.common import as_person, json_option, of_organization, prepared, who
from sync_core.cli.common import organization as organization_called
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.organizations import Organization
from sync_core.records import comparisons
from sync_core.records.comparisons import Comparison, OneSide, Pair, Table


@click.command()
@click.argument("first_id", metavar="RUN", type=int)
@click.argument("second_id", metavar="RUN", type=int)
@of_organization
@as_person
@json_option
@prepared
def compare(first_id: int, second_id: int, org: str, email: str | None, *, as_json: bool) -> None:
    """Put two runs of a resource beside each other: counts, columns, reasons, failed rows."""
    organization = organization_called(org)
    person = who(email, organization)
    with db.within(organization.id) as connection:
        first, second = (
            runs.get(connection, organization.id, one) for one in (first_id, second_id)
        )
        found = comparisons.compare(connection, first, second, person)
    told = json.dumps(_as_json(organization, found)) if as_json else _text(found)
    click.echo(told)


def _text(found: Comparison) -> str:
    """Write a comparison down: of each table, only what there is to say."""
    head = f"Runs {found.first.id} and {found.second.id}, {found.first.resource}"
    lines = (line for table in found.tables for line in _lines(found, table))
    return "\n".join([head, *found.notes, *lines])


def _lines(found: Comparison, table: Table) -> Iterator[str]:
    yield f"{resources.ENTITIES[table.entity].title}"
    for kind, pair in table.counts.items():
        if any(pair):
            yield f"    {kind}: {_change(pair)}"
    for header in table.new_headers:
        yield f"    column '{header}': only in run {found.second.id}"
    for header in table.lost_headers:
        yield f"    column '{header}': only in run {found.first.id}"
    for (field, code), pair in table.reasons.items():
        yield f"    rows with {' '.join(filter(None, (field, code)))}: {_change(pair)}"
    yield from _failed(found.first.id, table.only_first)
    yield from _failed(found.second.id, table.only_second)


def _change(pair: Pair) -> str:
    first, second = pair
    return f"{first:,}" if first == second else f"{first:,} → {second:,}"


def _failed(run_id: int, side: OneSide) -> Iterator[str]:
    if side.rows:
        yield f"    failed only in run {run_id}: {count(side.rows, 'row')}"
    for row in side.first:
        yield f"        row {row.row_number}, {row.name or row.key}: {'; '.join(row.reasons)}"


def _as_json(organization: Organization, found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "first": found.first.id,
        "second": found.second.id,
        "runs": [run_json.of_run(organization, one) for one in (found.first, found.second)],
        "resource": found.first.resource,
        "notes": found.notes,
        "tables": [{**asdict(table), "reasons": _reasons(table)} for table in found.tables],
    }


def _reasons(table: Table) -> list[dict[str, Any]]:
    return [
        {"field": field, "code": code, "rows": rows}
        for (field, code), rows in table.reasons.items()
    ]
