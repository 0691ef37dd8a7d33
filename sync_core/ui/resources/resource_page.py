"""The page of one resource: what it holds, how fresh, the button, the run, the rows."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import FAILED, RunKind, RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.ui.frame import asking, polling, run_state, visitor
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging, totals
from sync_core.ui.resources import (
    file_sync,
    record_drawer,
    resource_figures,
    rows_tab,
    schedule_panel,
    source_test,
)
from sync_core.ui.runs import (
    first_sync,
    head_line,
    history_tab,
    left_out_tabs,
    notice,
    run_view,
    status_strip,
)

Kind = Literal["primary", "secondary"]
Start = Callable[[Organization, str, Person, str], Run]
SYNC_WIDTH = 132  # pixels, whatever stands in it
SYNCS = (RunKind.SYNC, RunKind.RETRY)
RETRIED = (*FAILED, RunStatus.EXPIRED)  # after which the button says Retry


def show(name: str) -> None:
    """Show the page of a resource. Raises SyncError: no_permission, unknown_resource."""
    here = visitor.enter("read")
    resource = resources.by_name(name)
    state = run_state.read(here.organization.id)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(
            resource.heading or resource.title, icon=resource.icon, anchor=False, width="content"
        )
        st.space("stretch")
        _refresh_button(here)
        if here.person.may("sync"):
            source_test.offer(here, resource)
            file_sync.offer(here, resource, state.runs.get(name))
            preview_button(here, resource, state.runs.get(name))
            sync_button(here, resource, state.runs.get(name))
    asking.show_answer()
    schedule_panel.show(here, resource, state)
    counted = head_line.counts(here, resource, state)
    polling.follow(here, partial(_draw, here, resource, counted))
    source_test.show(here, resource)
    if resource.analysis:
        resource_figures.show(here, name, totals.version(state.runs.get(name)))
    _tabs(here, resource, state)
    record_drawer.open_by_address(here, resource)


def _draw(here: Visitor, resource: Resource, counted: str, state: RunState) -> None:
    """Show how the resource stands, and how its run goes."""
    status_strip.show(here, resource, state, head_line.of(here, resource, state, counted))


def _refresh_button(here: Visitor) -> None:
    st.button(
        "",
        icon=":material/refresh:",
        help="Refresh",
        key="refresh",
        on_click=run_state.forget,
        args=(here.organization.id,),
    )


def preview_button(here: Visitor, resource: Resource, run: Run | None) -> None:
    """Show the button that starts a preview, or says that one is on its way."""
    under_way = bool(run and run.active and run.kind == RunKind.PREVIEW)
    st.button(
        "Preview",
        icon="spinner" if under_way else ":material/preview:",
        key=f"preview-{resource.name}",
        help="See each change that a sync would make, before any is made.",
        disabled=bool(run and run.active),
        on_click=_start,
        args=(here, resource.name, syncs.preview),
    )


def sync_button(
    here: Visitor,
    resource: Resource,
    run: Run | None,
    kind: Kind = "primary",
) -> None:
    """Show the button that starts a sync, or says that one is on its way, or when one may be."""
    counts_down = 1 if _cooldown_left(run) else None
    # a click redraws the page, for the strip tells of it: only what counts down stands apart
    draw = visitor.fragment(here, _sync_button, 1) if counts_down else _sync_button
    draw(here, resource, run, kind, counts_down)


def _sync_button(
    here: Visitor, resource: Resource, run: Run | None, kind: Kind, counts_down: int | None
) -> None:
    left = _cooldown_left(run)
    if counts_down and not left:
        st.rerun()
    under_way = bool(run and run.active and run.kind in SYNCS)
    waits = bool(run and run.status == RunStatus.WAITING)
    st.button(
        _label(run, left),
        icon="spinner" if under_way else ":material/sync:",
        type="secondary" if waits else kind,  # to decide comes first
        key=f"sync-{resource.name}",
        width=SYNC_WIDTH,
        disabled=bool(left or (run and run.active)),
        on_click=_start,
        args=(here, resource.name, syncs.start),
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


def _start(here: Visitor, name: str, operation: Start) -> None:
    try:
        operation(here.organization, name, here.person, Trigger.PAGE)
        notice.clear_refusal(name)
    except SyncError as error:
        notice.keep_refusal(name, error)
    run_state.forget(here.organization.id)


def _tabs(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show one tab; the others cost nothing until they are opened."""
    names = ["Rows", "What changed", notice.NEEDS_ATTENTION, "Skipped", history_tab.TITLE]
    rows, changes, attention, skipped, history = st.tabs(
        names, key=notice.TAB, on_change="rerun", bind="query-params"
    )
    with rows:
        if rows.open:
            rows_tab.show(here, resource, state)
    with changes:
        if changes.open:
            _changes(here, resource, state)
    with attention:
        if attention.open:
            left_out_tabs.show_failed(here, resource, state)
    with skipped:
        if skipped.open:
            left_out_tabs.show_skipped(here, resource, state)
    with history:
        if history.open:
            history_tab.show(here, resource, first_sync.of(here, resource, state))


def _changes(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show what the last sync changed."""
    fresh = state.fresh.get(resource.name)
    if fresh:
        run_view.show_changes(here, fresh, state.counts(fresh))
        return
    more = "What a sync creates, updates and removes is listed here, row by row."
    button = first_sync.of(here, resource, state)
    paging.show_empty(":material/difference:", "Nothing has been synced yet.", more, button)
