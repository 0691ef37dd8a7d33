"""Runs: the truth about every sync; asked for here, worked on under a lease."""

from sync_core.runs.requests import (
    confirm,
    decline,
    mark_pushed,
    request_cancel,
    start,
    to_decide,
    to_push,
)
from sync_core.runs.run import (
    MADE_UP,
    Run,
    Tallies,
    found,
    fresh,
    get,
    history,
    in_step,
    latest,
    queue_positions,
    some,
    tallies,
    usual_seconds,
)

__all__ = [
    "MADE_UP",
    "Run",
    "Tallies",
    "confirm",
    "decline",
    "found",
    "fresh",
    "get",
    "history",
    "in_step",
    "latest",
    "mark_pushed",
    "queue_positions",
    "request_cancel",
    "some",
    "start",
    "tallies",
    "to_decide",
    "to_push",
    "usual_seconds",
]
