"""The history of a record from the shell: what happened to it, and what it was on a day."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from sync_core.audit import exports
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import db
from sync_core.foundation.counting import count
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.records import history, history_json
from sync_core.records.history import Cell, Entry, Record, Snapshot, in_words
from sync_core.records.outcome_format import KEY_SEPARATOR

BETWEEN_PARTS = ","  # of a key


def show(
    organization: Organization,
    person: Person,
    named: tuple[str, str],
    *,
    as_of: datetime | None,
    path: Path | None,
    as_json: bool,
) -> None:
    """Print the history of a record or what it was at the end of a day, or write it to a file.

    Raises SyncError: unknown_record, no_permission; click.BadParameter.
    """
    entity = _entity(named[0])
    key = _key(entity, named[1])
    moment = as_of and history.end_of(as_of.date(), ZoneInfo(organization.time_zone))
    if path:
        written = exports.save(exports.record(organization, person, entity, key, moment), path)
        click.echo(f"Wrote {count(written.rows, 'row')} to {path}.")
        return
    with db.within(organization.id) as connection:
        record = history.read(connection, organization.id, entity, key, person)
    snapshot = record.as_of(moment) if moment else None
    if as_json:
        click.echo(
            json.dumps(
                history_json.of_snapshot(record, snapshot)
                if snapshot
                else history_json.of_record(record)
            )
        )
    else:
        click.echo(_snapshot_text(record, snapshot) if snapshot else _text(record))


def _entity(name: str) -> Entity:
    if name not in resources.ENTITIES:
        raise click.BadParameter(f"'{name}' is no table: choose {', '.join(resources.ENTITIES)}.")
    return resources.ENTITIES[name]


def _key(entity: Entity, text: str) -> Sequence[str]:
    """Return the parts of a key: "T-0104", or "T-0104, Monday, 09:00"."""
    labels = [field.label for field in entity.keys]
    if len(labels) == 1:
        return (text,)
    parts = [part.strip() for part in text.split(BETWEEN_PARTS)]
    if len(parts) != len(labels):
        raise click.BadParameter(f"a key of {entity.name} is '{', '.join(labels)}'.")
    return parts


def spellings(text: str) -> Sequence[str]:
    """Return how outcomes may have written a key: as one, or of parts that commas separate."""
    parts = KEY_SEPARATOR.join(part.strip() for part in text.split(BETWEEN_PARTS))
    return list(dict.fromkeys([text, parts]))


def _text(record: Record) -> str:
    """Write a history down, the newest first."""
    gone = "" if record.is_there else " (gone)"
    lines = [f"{record.entity.title} {record.title}: {record.name}{gone}"]
    for entry in record.entries:
        lines.append("\t".join(_headline(entry)))
        lines += [f"    {cell.field.label}: {_change(entry, cell)}" for cell in entry.cells]
    if record.dropped_before:
        lines.append(f"Values before {record.dropped_before.date()} were deleted.")
    return "\n".join(lines)


def _headline(entry: Entry) -> list[str]:
    if entry.run is None or entry.at is None:
        return [entry.sentence]
    row = [f"row {entry.row_number}"] if entry.row_number else []
    when = entry.at.isoformat(timespec="seconds")
    return [when, entry.sentence, entry.run.requested_by, f"run {entry.run.id}", *row]


def _change(entry: Entry, cell: Cell) -> str:
    before, after = in_words(cell.before) or "blank", in_words(cell.after) or "blank"
    return {"created": after, "removed": before}.get(entry.what, f"{before} → {after}")


def _snapshot_text(record: Record, snapshot: Snapshot) -> str:
    """Write down what a record was."""
    day = f"{snapshot.at.day} {snapshot.at:%b %Y}"
    lines = [f"{record.entity.title} {record.title} on {day}: {_there(snapshot)}"]
    lines += [
        f"    {cell.field.label}: {in_words(cell.after) or 'blank'}" for cell in snapshot.cells
    ]
    if snapshot.is_dropped and record.dropped_before:
        lines.append(f"Values before {record.dropped_before.date()} were deleted.")
    return "\n".join(lines)


def _there(snapshot: Snapshot) -> str:
    if snapshot.is_there is None:
        return "not known"
    return "it was there" if snapshot.is_there else "it was not there"
