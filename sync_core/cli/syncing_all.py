"""Sync all from the shell: start it, wait for its end, and tell what became of each resource."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from sync_core.cli import local_stack
from sync_core.cli.common import EXIT_CODES
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import batches, result_words
from sync_core.runs.batches import Batch, Part


def run(organization: Organization, person: Person, *, wait: bool, as_json: bool) -> int:
    """Sync everything; returns the exit code of the run that went worst."""
    batch = syncs.start_all(organization, person, Trigger.SHELL)
    batch = _follow(organization, batch) if wait else _read(organization) or batch
    if as_json:
        click.echo(json.dumps(_as_json(organization, batch)))
    else:
        for part in batch.parts:
            click.echo(f"{part.resource}\t{_told(batch, part)}")
    return max((EXIT_CODES.get(one.run.status, 0) for one in batch.parts if one.run), default=0)


def _follow(organization: Organization, batch: Batch) -> Batch:
    """Wait for its end; a worker of our own, with its maintenance, where none is alive."""
    ours = None if local_stack.a_worker_is_alive() else local_stack.start_worker()
    try:
        while batch.finished_at is None:
            time.sleep(0.2)
            batch = _read(organization) or batch
    finally:
        if ours:
            ours.terminate()
            ours.wait()
    return batch


def _read(organization: Organization) -> Batch | None:
    with db.within(organization.id) as connection:
        return batches.latest(connection, organization.id)


def _told(batch: Batch, part: Part) -> str:
    if part.run:
        word = result_words.word(part.run.kind, part.run.status)
        return f"run {part.run.id}, {word.lower()}: {part.run.message or 'running.'}"
    if part.skipped:
        return f"left out: {part.skipped}"
    return f"comes after {', '.join(batch.awaits(part))}"


def _as_json(organization: Organization, batch: Batch) -> Mapping[str, Any]:
    return {
        "organization": organization.slug,
        "requested_by": batch.requested_by,
        "at": batch.at.isoformat(),
        "finished_at": batch.finished_at and batch.finished_at.isoformat(),
        "parts": [
            {
                "resource": part.resource,
                "run_id": part.run and part.run.id,
                "status": part.run and part.run.status,
                "message": part.run and part.run.message,
                "started_at": _moment(part.run.started_at) if part.run else None,
                "finished_at": _moment(part.run.finished_at) if part.run else None,
                "left_out": part.skipped,
            }
            for part in batch.parts
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
