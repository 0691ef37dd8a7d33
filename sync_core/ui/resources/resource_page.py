"""The page of one resource: what it holds, how fresh, the button, the run, the rows."""

from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import RunKind
from sync_core.runs import Run
from sync_core.ui.frame import asking, polling, run_state, visitor
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import page_head, paging, totals
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
    opened_plan,
    run_view,
    status_strip,
    sync_button,
)


def show(name: str) -> None:
    """Show the page of a resource. Raises SyncError: no_permission, unknown_resource."""
    here = visitor.enter("read")
    resource = resources.by_name(name)
    state = run_state.read(here.organization.id)
    with page_head.show(resource.heading or resource.title, resource.icon):
        st.space("stretch")
        _refresh_button(here)
        if here.person.may("sync"):
            source_test.offer(here, resource)
            file_sync.offer(here, resource, state.runs.get(name))
            preview_button(here, resource, state.runs.get(name))
            sync_button.show(here, resource, state)
    asking.show_answer()
    schedule_panel.show(here, resource, state)
    counted = head_line.counts(here, resource, state)
    polling.follow(here, partial(_draw, here, resource, counted))
    opened_plan.show(here, resource, state)
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
        "Refresh",
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
        on_click=opened_plan.start,
        args=(here, resource.name),
    )


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
    """Show what the last sync changed, or one of the retries since."""
    fresh = state.fresh.get(resource.name)
    if fresh:
        run = _choose_changes(fresh, state)
        run_view.show_changes(here, run, state.counts(run))
        return
    more = "What a sync creates, updates and removes is listed here, row by row."
    button = first_sync.of(here, resource, state)
    paging.show_empty(":material/difference:", "Nothing has been synced yet.", more, button)


def _choose_changes(fresh: Run, state: RunState) -> Run:
    """Let the visitor choose among the last sync and the retries that changed rows since then."""
    retries = state.retries.get(fresh.resource, ())
    some = {run.id: run for run in reversed(retries) if run_view.changed_rows(state.counts(run))}
    if not some:
        return fresh
    some[fresh.id] = fresh
    chosen = st.segmented_control(
        "What changed rows",
        list(some),
        format_func=lambda run_id: _changing(some[run_id], state),
        default=next(iter(some)),
        required=True,
        key=f"changes-of-{fresh.id}",
        label_visibility="collapsed",
    )
    return some[chosen or fresh.id]


def _changing(run: Run, state: RunState) -> str:
    """Return what changed how many rows: "Retry of failed rows, run 12: 1 row changed"."""
    what = "Retry of failed rows" if run.kind == RunKind.RETRY else "Sync"
    return f"{what}, run {run.id}: {count(run_view.changed_rows(state.counts(run)), 'row')} changed"
