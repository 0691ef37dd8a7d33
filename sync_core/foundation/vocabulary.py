"""The closed sets of words that are stored, sent and shown."""

STATUSES = (
    "queued",
    "running",
    "waiting",
    "completed",
    "partial",
    "failed",
    "cancelled",
    "interrupted",
    "timed_out",
    "expired",
)
ACTIVE = ("queued", "running", "interrupted")
REMOVALS = ("keep", "deactivate", "delete")
KINDS = ("created", "updated", "unchanged", "removed", "skipped", "failed")

ENDED = frozenset(STATUSES) - {"queued", "running", "waiting", "interrupted"}
