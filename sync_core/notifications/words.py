"""What people are told, in a few words."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.foundation.vocabulary import NoticeKind, RunKind, RunStatus
from sync_core.runs import Run


class Told(Protocol):
    """Something that people were told: a notice, or an item of a message."""

    @property
    def kind(self) -> NoticeKind:
        """What happened."""

    @property
    def resource(self) -> str:
        """Of which resource."""

    @property
    def run_id(self) -> int | None:
        """In which run, where it was in one."""


T = TypeVar("T", bound=Told)

HEADLINES: Mapping[NoticeKind, str] = {
    NoticeKind.SUCCEEDED: "{done}",
    NoticeKind.PARTIAL: "{done} only in part",
    NoticeKind.FAILED: "{work} failed",
    NoticeKind.WAITING: "{a_plan} waits for a decision",
    NoticeKind.RECOVERED: "syncs again",
    NoticeKind.STALE: "older than its max age",
    NoticeKind.FRESH: "within its max age again",
    NoticeKind.PAUSED: "the schedule is paused",
    NoticeKind.CANCELLED: "{work} was cancelled",
    NoticeKind.EXPIRED: "nobody decided on {plan} in time",
}
TIMED_OUT, DECLINED = "{work} took too long", "{plan} was declined"
OUTDATED = "{plan} was out of date"
NOTHING_UNDONE = "nothing of run {undoes} was undone"
DECIDED = "{a_plan} waited for a decision"
USUAL = {"done": "synced", "work": "the sync", "plan": "the plan", "a_plan": "a plan"}
UNDO = "the plan to undo run {undoes}"
WORDS: Mapping[RunKind, Mapping[str, str]] = {  # of what a run did, by its kind
    RunKind.SYNC: USUAL,
    RunKind.PREVIEW: {**USUAL, "work": "the preview"},
    RunKind.RETRY: {
        **USUAL,
        "done": "fixed rows synced",
        "work": "the sync of the fixed rows",
    },
    RunKind.UNDO: {
        "done": "run {undoes} undone",
        "work": "the undo of run {undoes}",
        "plan": UNDO,
        "a_plan": UNDO,
    },
}


def title(kind: NoticeKind, resource: str, run: Run | None = None) -> str:
    """Return in a few words what happened, in a `run` or to the resource itself.

    Such as "Locations: the sync failed", or "Locations: run 12 undone".
    """
    return f"{resource_title(resource)}: {_headline(kind, run)}"


def titles(connection: Connection, organization_id: int, told: Sequence[T]) -> list[tuple[T, str]]:
    """Return things that were told, each with its title."""
    found = runs.some(connection, [one.run_id for one in told if one.run_id])
    ours = {run.id: run for run in found if run.organization_id == organization_id}
    return [(one, title(one.kind, one.resource, ours.get(one.run_id or 0))) for one in told]


def _headline(kind: NoticeKind, run: Run | None) -> str:
    if run is None:
        return HEADLINES[kind].format(**USUAL)
    told = HEADLINES[kind]
    if run.nothing_undone:
        told = NOTHING_UNDONE
    if kind == NoticeKind.FAILED and run.status == RunStatus.TIMED_OUT:
        told = TIMED_OUT
    if kind == NoticeKind.CANCELLED and run.declined:
        told = DECLINED
    if kind == NoticeKind.WAITING and run.status != RunStatus.WAITING:
        told = DECIDED
    if kind == NoticeKind.EXPIRED and run.error_code == "plan_outdated":
        told = OUTDATED
    named = {name: text.format(undoes=run.undoes) for name, text in WORDS[run.kind].items()}
    return told.format(undoes=run.undoes, **named)


def resource_title(resource: str) -> str:
    """Return the title of a resource, its name where a later version no longer has it."""
    known = resources.CATALOGUE.get(resource)
    return known.title if known else resource
