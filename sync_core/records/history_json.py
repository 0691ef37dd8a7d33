"""The history of a record as JSON: values are texts, as people read them, null where blank."""

from datetime import datetime
from typing import Any

from sync_core.records.history import NOT_KNOWN, Entry, Record, Snapshot, Value, in_words


def of_record(record: Record) -> dict[str, Any]:
    """Return a history as JSON; values are texts, null where blank."""
    dropped = record.dropped_before
    return {
        "entity": record.entity.name,
        "key": list(record.key),
        "name": record.name,
        "is_there": record.is_there,
        "dropped_before": dropped.isoformat() if dropped else None,
        "entries": [_entry(entry) for entry in record.entries],
    }


def of_snapshot(record: Record, snapshot: Snapshot) -> dict[str, Any]:
    """Return what a record was as JSON; values that nobody knows are named apart."""
    return {
        "entity": record.entity.name,
        "key": list(record.key),
        "at": snapshot.at.isoformat(),
        "is_there": snapshot.is_there,
        "values": {
            c.field.label: _value(c.after) for c in snapshot.cells if c.after is not NOT_KNOWN
        },
        "not_known": [c.field.label for c in snapshot.cells if c.after is NOT_KNOWN],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "what": entry.what,
        "sentence": entry.sentence,
        "at": entry.at.isoformat() if entry.at else None,
        "run_id": entry.run.id if entry.run else None,
        "by": entry.run.requested_by if entry.run else None,
        "started_at": _moment(entry.run.started_at) if entry.run else None,
        "finished_at": _moment(entry.run.finished_at) if entry.run else None,
        "row": entry.row_number,
        "after_run": entry.since.id if entry.since else None,
        "before_run": entry.until.id if entry.until else None,
        "cells": [
            {"field": cell.field.label, "before": _value(cell.before), "after": _value(cell.after)}
            for cell in entry.cells
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _value(value: Value) -> str | None:
    return None if value is None else in_words(value)
