"""Two runs beside each other, from the shell."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sync_core.catalogue import resources
from sync_core.cli import run_json
from sync_core.foundation.counting import count
from sync_core.organizations import Organization
from sync_core.records.comparisons import Comparison, OneSide, Pair, Table


def text(found: Comparison) -> str:
    """Write a comparison down: of each table, only what there is to say."""
    head = f"Runs {found.first.id} and {found.second.id}, {found.first.resource}"
    return "\n".join([head, *(line for table in found.tables for line in _lines(found, table))])


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


def as_json(organization: Organization, found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "first": found.first.id,
        "second": found.second.id,
        "runs": [run_json.of_run(organization, one) for one in (found.first, found.second)],
        "resource": found.first.resource,
        "tables": [{**asdict(table), "reasons": _reasons(table)} for table in found.tables],
    }


def _reasons(table: Table) -> list[dict[str, Any]]:
    return [
        {"field": field, "code": code, "rows": rows}
        for (field, code), rows in table.reasons.items()
    ]
