"""The button that starts a sync: one rule, wherever it is shown.

It works while a plan waits for a decision, for a sync does not need one; that it may overtake the
plan is said beside it.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import FAILED, RunKind, RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.ui.frame import run_state, visitor
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.runs import notice

Kind = Literal["primary", "secondary", "tertiary"]
Start = Callable[[Organization, str, Person, str], Run]
WIDTH = 132  # pixels, whatever stands in it
SYNCS = (RunKind.SYNC, RunKind.RETRY)
RETRIED = (*FAILED, RunStatus.EXPIRED)  # after which the button says Retry
PLAN_WAITS = (
    "A plan waits for a decision. This reads the source again without it; a plan that is out of"
    " date afterwards expires."
)


def show(here: Visitor, resource: Resource, state: RunState, kind: Kind = "primary") -> None:
    """Show the button that starts a sync, or says that one is on its way, or when one may be."""
    run = state.runs.get(resource.name)
    waits = bool(state.plans_of(resource.name))
    counts_down = 1 if _cooldown_left(run) else None
    # a click redraws the page, for the strip tells of it: only what counts down stands apart
    draw = visitor.fragment(here, _show, 1) if counts_down else _show
    with st.container(width=WIDTH):  # around the fragment, too, which would take all there is
        draw(here, resource, run, kind, counts_down, waits=waits)


def _show(
    here: Visitor,
    resource: Resource,
    run: Run | None,
    kind: Kind,
    counts_down: int | None,
    *,
    waits: bool,
) -> None:
    left = _cooldown_left(run)
    if counts_down and not left:
        st.rerun()
    under_way = bool(run and run.active and run.kind in SYNCS)
    st.button(
        _label(run, left),
        icon="spinner" if under_way else ":material/sync:",
        type="secondary" if waits and kind == "primary" else kind,  # to decide comes first
        key=f"sync-{resource.name}",
        width="stretch",
        help=PLAN_WAITS if waits else None,
        disabled=bool(left or (run and run.active)),
        on_click=start,
        args=(here, resource.name),
    )


def _cooldown_left(run: Run | None) -> int:
    """Return the whole seconds for which no other run of the resource may start."""
    if run is None or run.finished_at is None:
        return 0
    pause = settings.current().cooldown
    left = pause - (datetime.now(UTC) - run.finished_at).total_seconds()
    return math.ceil(left) if 0 < left <= pause else 0


def _label(run: Run | None, left: int) -> str:
    if run is None or run.kind not in SYNCS:
        return f"Sync in {left} s" if left else "Sync data"
    if run.active:
        return "Syncing..."
    is_retry = run.status in RETRIED
    if left:
        return f"{'Retry' if is_retry else 'Sync'} in {left} s"
    return "Retry" if is_retry else "Sync again"


def start(here: Visitor, name: str) -> None:
    """Start a sync of a resource."""
    ask(here, name, syncs.start)


def ask(here: Visitor, name: str, operation: Start) -> Run | None:
    """Start a run of a resource; why that is refused is kept, and told where the resource is."""
    started = None
    try:
        started = operation(here.organization, name, here.person, Trigger.PAGE)
        notice.clear_refusal(name)
    except SyncError as error:
        notice.keep_refusal(name, error)
    run_state.forget(here.organization.id)
    return started
