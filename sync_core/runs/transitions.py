"""How a run may change its status."""

# Every arrow that a run may take; Postgres refuses all others (a test compares the two).
TRANSITIONS: dict[tuple[str, str], str] = {
    ("queued", "running"): "a worker claims it",
    ("queued", "cancelled"): "cancelled before a worker came",
    ("queued", "timed_out"): "no worker came within the time limit",
    ("running", "completed"): "every row is in step",
    ("running", "partial"): "applied, but some rows need a person",
    ("running", "failed"): "the source, the plan or the apply failed; the target is as it was",
    ("running", "cancelled"): "the worker obeyed, or was made to",
    ("running", "timed_out"): "the time limit passed",
    ("running", "waiting"): "the plan waits for a person",
    ("running", "interrupted"): "the worker died or was asked to stop, or Postgres went away",
    ("interrupted", "queued"): "it goes on by itself",
    ("interrupted", "failed"): "it crashed too often",
    ("interrupted", "cancelled"): "cancelled while no worker had it",
    ("interrupted", "timed_out"): "the time limit passed while no worker had it",
    ("waiting", "queued"): "a person confirmed the plan",
    ("waiting", "cancelled"): "a person declined the plan",
    ("waiting", "expired"): "nobody decided in time",
}
