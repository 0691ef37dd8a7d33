"""What people call a run's status: the same word on pages, in files and in a terminal."""

from sync_core.foundation.vocabulary import RunKind, RunStatus
from sync_core.runs.run import Run

OF_STATUS: dict[RunStatus, str] = {
    RunStatus.QUEUED: "Starting",
    RunStatus.RUNNING: "Syncing",
    RunStatus.INTERRUPTED: "Interrupted",
    RunStatus.WAITING: "Needs a decision",
    RunStatus.COMPLETED: "Synced",
    RunStatus.PARTIAL: "Partly synced",
    RunStatus.FAILED: "Failed",
    RunStatus.TIMED_OUT: "Timed out",
    RunStatus.CANCELLED: "Cancelled",
    RunStatus.EXPIRED: "Expired",
}
OF_OTHERS: dict[tuple[str | None, str], str] = {  # of runs that are no syncs
    (RunKind.PREVIEW, RunStatus.RUNNING): "Previewing",
    (RunKind.UNDO, RunStatus.RUNNING): "Undoing",
    (RunKind.UNDO, RunStatus.COMPLETED): "Undo done",
    (RunKind.UNDO, RunStatus.PARTIAL): "Undo done in part",
}

NOTHING_UNDONE = "Nothing undone"  # what an undo is called that put nothing back


def of_run(run: Run) -> str:
    """Return what people call how a run is, or ended."""
    return NOTHING_UNDONE if run.nothing_undone else word(run.kind, run.status)


def word(kind: str | None, status: str) -> str:
    """Return what a run of this kind that has this status is called: "Partly synced"."""
    return OF_OTHERS.get((kind, status)) or OF_STATUS[RunStatus(status)]


def every_word(status: str) -> str:
    """Return what runs of all kinds that have a status are called: "Synced or undo done"."""
    *others, last = dict.fromkeys(word(kind, status) for kind in RunKind)
    return f"{', '.join(others)} or {last}".capitalize() if others else last
