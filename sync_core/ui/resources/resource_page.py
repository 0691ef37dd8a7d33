"""The page of one resource: what it holds, how fresh, the button, the run, the rows."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import FAILED, RunKind, RunStatus, Trigger
from sync_core.operations import syncs
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.ui.frame import polling, run_state, visitor
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line, totals, words
from sync_core.ui.resources import (
    file_sync,
    record_drawer,
    resource_figures,
    rows_tab,
    schedule_panel,
    source_test,
)
from sync_core.ui.runs import (
    history_tab,
    notice,
    plan_section,
    progress_card,
    rows_for_a_person,
    run_view,
)

Start = Callable[[Organization, str, Person, str], Run]
SYNCS = (RunKind.SYNC, RunKind.RETRY)
RETRIED = (*FAILED, RunStatus.EXPIRED)  # after which the button says Retry


def show(name: str) -> None:
    """Show the page of a resource. Raises SyncError: no_permission, unknown_resource."""
    here = visitor.enter("read")
    resource = resources.by_name(name)
    state = run_state.read(here.organization.id)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(resource.title, icon=resource.icon, anchor=False, width="content")
        st.space("stretch")
        _refresh_button(here)
        if here.person.may("sync"):
            source_test.offer(here, resource)
            file_sync.offer(here, resource, state.runs.get(name))
            preview_button(here, resource, state.runs.get(name))
            sync_button(here, resource, state.runs.get(name))
    schedule_panel.show(here, resource, state)
    polling.follow(here, partial(_draw, here, resource, _contents(here, resource, state)))
    source_test.show(resource)
    if (run := state.runs.get(name)) and run.status == RunStatus.WAITING:
        plan_section.show(here, run)
    if resource.analysis:
        resource_figures.show(here, name, totals.version(state.runs.get(name)))
    _tabs(here, resource, state)
    record_drawer.open_by_address(here, resource)


def _draw(here: Visitor, resource: Resource, contents: Sequence[str], state: RunState) -> None:
    """Show what there is and how fresh it is, and how the run goes."""
    run, fresh = state.runs.get(resource.name), state.fresh.get(resource.name)
    parts, source = [*contents[:-1]], contents[-1]
    if fresh:
        parts.append(source_line.in_step(fresh, state.promise(resource.name)))
    if undo := state.taken_back.get(resource.name):
        parts.append(words.taken_back(undo))
    st.markdown(f":small[:gray[{' · '.join(parts)}] · {source}]")
    notice.show(here, resource, state)
    if state.problem and (here.person.may("sync") or (run and run.active)):
        st.warning(state.problem, icon=":material/engineering:")
    if run and run.active:
        progress_card.show(here, resource, run, state)


def _contents(here: Visitor, resource: Resource, state: RunState) -> list[str]:
    """Return what the tables hold, and last where that comes from; only a run changes it."""
    since = totals.version(state.runs.get(resource.name))
    counts = [
        f"{totals.total(here.organization.id, entity, since):,} {entity.title.lower()}"
        for entity in resource.entities
    ]
    return [*counts, source_line.words(here.organization, resource)]


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
        "Previewing..." if under_way else "Preview",
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
    kind: Literal["primary", "secondary"] = "primary",
) -> None:
    """Show the button that starts a sync, or says that one is on its way."""
    under_way = bool(run and run.active and run.kind in SYNCS)
    waits = bool(run and run.status == RunStatus.WAITING)
    st.button(
        _label(run),
        icon="spinner" if under_way else ":material/sync:",
        type="secondary" if waits else kind,  # to decide comes first
        key=f"sync-{resource.name}",
        disabled=bool(run and run.active),
        on_click=_start,
        args=(here, resource.name, syncs.start),
    )


def _label(run: Run | None) -> str:
    if run is None or not run_state.is_recent(run):
        return "Sync data"
    if run.kind not in SYNCS:
        return "Sync data"
    if run.active:
        return "Syncing..."
    return "Retry" if run.status in RETRIED else "Sync again"


def _start(here: Visitor, name: str, operation: Start) -> None:
    try:
        operation(here.organization, name, here.person, Trigger.PAGE)
        notice.clear_refusal(name)
    except SyncError as error:
        notice.keep_refusal(name, error)
    run_state.forget(here.organization.id)


def _tabs(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show one tab; the others cost nothing until they are opened."""
    names = ["Rows", "What changed", notice.NEEDS_A_PERSON, history_tab.TITLE]
    rows, changes, person, history = st.tabs(
        names, key=notice.TAB, on_change="rerun", bind="query-params"
    )
    fresh = state.fresh.get(resource.name)
    with rows:
        if rows.open:
            rows_tab.show(here, resource, totals.version(state.runs.get(resource.name)))
    with changes:
        if changes.open:
            run_view.show_changes(here, fresh, state.counts(fresh))
    with person:
        if person.open:
            rows_for_a_person.show(here, resource, state)
    with history:
        if history.open:
            history_tab.show(here, resource)
