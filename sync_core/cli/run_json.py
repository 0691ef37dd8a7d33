"""A run as JSON, as every command tells it that is asked for JSON."""

from typing import Any

from sync_core import runs
from sync_core.foundation import db
from sync_core.organizations import Organization
from sync_core.runs import Run


def of_run(organization: Organization, run: Run) -> dict[str, Any]:
    """Return a run as JSON, with who asked for it, its start, its end and its counts."""
    with db.within(organization.id) as connection:
        counted = runs.tallies(connection, [run.id]).get(run.id, {})
    return {
        "run_id": run.id,
        "status": run.status,
        "resource": run.resource,
        "organization": organization.slug,
        "message": run.message,
        "log_message": run.log_message,
        "kind": run.kind,
        "trigger": run.trigger,
        "origin": run.origin,
        "scheduled_for": run.scheduled_for and run.scheduled_for.isoformat(),
        "late": run.late,
        "undoes": run.undoes,
        "requested_by": run.requested_by,
        "queued_at": run.queued_at.isoformat(),
        "started_at": run.started_at and run.started_at.isoformat(),
        "finished_at": run.finished_at and run.finished_at.isoformat(),
        "duration_s": run.seconds,
        "counts": counted,
        "error_code": run.error_code,
        "advice": run.advice,
        "notes": run.notes,
    }
