"""How a run may change its status."""

from sync_core.foundation.vocabulary import RunStatus

# Every arrow that a run may take; Postgres refuses all others (a test compares the two).
TRANSITIONS: dict[tuple[RunStatus, RunStatus], str] = {
    (RunStatus.QUEUED, RunStatus.RUNNING): "a worker claims it",
    (RunStatus.QUEUED, RunStatus.CANCELLED): "cancelled before a worker came",
    (RunStatus.QUEUED, RunStatus.TIMED_OUT): "no worker came within the time limit",
    (RunStatus.RUNNING, RunStatus.COMPLETED): "every row is up to date",
    (RunStatus.RUNNING, RunStatus.PARTIAL): "applied in part: rows failed, or records are missing",
    (RunStatus.RUNNING, RunStatus.FAILED): "source, plan or apply failed; nothing was changed",
    (RunStatus.RUNNING, RunStatus.CANCELLED): "the worker obeyed, or was made to",
    (RunStatus.RUNNING, RunStatus.TIMED_OUT): "the time limit passed",
    (RunStatus.RUNNING, RunStatus.EXPIRED): "the confirmed plan was out of date; nothing was done",
    (RunStatus.RUNNING, RunStatus.WAITING): "the plan waits for a person",
    (RunStatus.RUNNING, RunStatus.INTERRUPTED): "its worker or Postgres died, or was stopped",
    (RunStatus.INTERRUPTED, RunStatus.QUEUED): "it continues by itself",
    (RunStatus.INTERRUPTED, RunStatus.FAILED): "it crashed too often",
    (RunStatus.INTERRUPTED, RunStatus.CANCELLED): "cancelled while no worker had it",
    (RunStatus.INTERRUPTED, RunStatus.TIMED_OUT): "the time limit passed while no worker had it",
    (RunStatus.WAITING, RunStatus.QUEUED): "a person confirmed the plan",
    (RunStatus.WAITING, RunStatus.CANCELLED): "a person declined the plan",
    (RunStatus.WAITING, RunStatus.EXPIRED): "nobody decided in time",
}
