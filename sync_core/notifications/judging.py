"""What a run means to people: whether it changes anything, and for whom. Pure: no database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sync_core.foundation.vocabulary import (
    APPLIED,
    FAILED,
    IN_STEP,
    NoticeKind,
    RunKind,
    RunStatus,
    Topic,
)
from sync_core.notifications.conditions import Condition, Conditions
from sync_core.runs import Run

KINDS: Mapping[RunStatus, NoticeKind] = {
    RunStatus.COMPLETED: NoticeKind.SUCCEEDED,
    RunStatus.PARTIAL: NoticeKind.PARTIAL,
    RunStatus.FAILED: NoticeKind.FAILED,
    RunStatus.TIMED_OUT: NoticeKind.FAILED,
    RunStatus.WAITING: NoticeKind.WAITING,
    RunStatus.CANCELLED: NoticeKind.CANCELLED,
    RunStatus.EXPIRED: NoticeKind.EXPIRED,
}
TROUBLED = (NoticeKind.PARTIAL, NoticeKind.FAILED)
_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Telling:
    """Something to be told of a resource."""

    kind: NoticeKind
    organization_id: int
    resource: str
    run_id: int | None
    text: str
    at: datetime
    to_all: bool = True  # else only to who requested the run
    by: str = ""  # the e-mail address of who requested the run


@dataclass(frozen=True)
class Judgement:
    """What is told, and what is remembered of it; None forgets what was remembered."""

    tellings: tuple[Telling, ...] = ()
    conditions: Mapping[Topic, Condition | None] = field(default_factory=dict)


def of_run(run: Run, codes: str, known: Conditions, at: datetime) -> Judgement:
    """Judge a run that ended, or waits for a person, by what people were told before.

    `codes` names why rows failed, or which guards hold the plan back.
    """
    kind, to_all, remembered = _result(run, codes, known)
    tellings = [_telling(run, kind, run.message, at, to_all=to_all)]
    if run.status in APPLIED and run.kind in IN_STEP:
        if (before := known.get(Topic.FRESHNESS)) and before.state == NoticeKind.STALE:
            tellings.append(_telling(run, NoticeKind.FRESH, run.message, at, to_all=True))
        fresh = Condition(NoticeKind.FRESH, "", run.id, run.finished_at)
        remembered = {**remembered, Topic.FRESHNESS: fresh}
    return Judgement(tuple(tellings), {**_approval(run, codes, known), **remembered})


def _result(
    run: Run, codes: str, known: Conditions
) -> tuple[NoticeKind, bool, Mapping[Topic, Condition | None]]:
    """Return what a run is told as, whether to all, and what is remembered of it."""
    kind = KINDS[run.status]
    if kind == NoticeKind.WAITING:
        return kind, _is_approval(run, codes) and _is_other(codes, known), {}
    if not _counts(run):
        return kind, False, {}
    before = known.get(Topic.RESULT)
    now = Condition(kind, reason(run, codes), run.id)
    if kind == NoticeKind.SUCCEEDED:
        recovered = before is not None and before.state in TROUBLED
        kind = NoticeKind.RECOVERED if recovered else kind
        return kind, True, {Topic.RESULT: now}
    changed = before is None or (before.state, before.reason) != (now.state, now.reason)
    return kind, changed, {Topic.RESULT: now}


def _counts(run: Run) -> bool:
    """Return whether the run says how the syncs of its resource are: a preview does not."""
    if run.kind == RunKind.RETRY:
        return run.status in APPLIED  # one that fails leaves everything as it was
    return run.kind == RunKind.SYNC and run.status in {*APPLIED, *FAILED}


def reason(run: Run, codes: str) -> str:
    """Return why a run did not come through, so that the same reason always reads the same."""
    if run.status not in FAILED:
        return codes
    return f"{run.error_code}: {_NUMBERS.sub('0', run.message)}"


def _is_approval(run: Run, codes: str) -> bool:
    """Return whether guards hold back what was asked to be applied; a preview waits by itself."""
    return bool(codes) and run.kind != RunKind.PREVIEW


def _is_other(codes: str, known: Conditions) -> bool:
    before = known.get(Topic.APPROVAL)
    return before is None or before.reason != codes


def _approval(run: Run, codes: str, known: Conditions) -> Mapping[Topic, Condition | None]:
    if run.status == RunStatus.WAITING and _is_approval(run, codes):
        return {Topic.APPROVAL: Condition(NoticeKind.WAITING, codes, run.id)}
    before = known.get(Topic.APPROVAL)
    return {Topic.APPROVAL: None} if before and before.run_id == run.id else {}


def _telling(run: Run, kind: NoticeKind, text: str, at: datetime, *, to_all: bool) -> Telling:
    return Telling(
        kind, run.organization_id, run.resource, run.id, text, at, to_all, run.requested_email
    )
