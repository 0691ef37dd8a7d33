"""The page of one resource: what it holds, how fresh, the button, the news, the rows."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation.errors import SyncError
from sync_core.operations import syncs
from sync_core.runs import Run
from sync_core.ui.frame import polling, run_state, visitor
from sync_core.ui.frame.run_state import News
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line, totals
from sync_core.ui.parts.words import ago, literal
from sync_core.ui.resources import patient_figures, rows_tab, source_test
from sync_core.ui.runs import history_tab, notice, progress_card, run_view

FAILED = ("failed", "timed_out", "expired")
EXTRAS = {"patients": patient_figures.show}  # what a page shows of its resource alone


def show(name: str) -> None:
    """Show the page of a resource of the catalogue."""
    here = visitor.enter("read")
    resource = resources.by_name(name)
    found = run_state.read(here.organization.id)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(resource.title, icon=resource.icon, anchor=False, width="content")
        st.space("stretch")
        _refresh_button(here)
        if here.person.may("sync"):
            source_test.offer(here, resource)
            sync_button(here, resource, found.runs.get(name))
    polling.follow(here, partial(_draw, here, resource, _holds(here, resource, found)))
    source_test.show(resource)
    if extra := EXTRAS.get(name):
        extra(here, totals.version(found.runs.get(name)))
    _tabs(here, resource, found)


def _draw(here: Visitor, resource: Resource, holds: Sequence[str], found: News) -> None:
    """Show what there is and how fresh it is, and the news of the run."""
    run, fresh = found.runs.get(resource.name), found.fresh.get(resource.name)
    parts, source = [*holds[:-1]], holds[-1]
    if fresh and fresh.finished_at:
        parts.append(f"synced {ago(fresh.finished_at)} by {literal(fresh.requested_by)}")
    st.markdown(f":small[:gray[{' · '.join(parts)}] · {source}]")
    notice.show(here, resource, found)
    if found.problem and (here.person.may("sync") or (run and run.active)):
        st.warning(found.problem, icon=":material/engineering:")
    if run and run.active:
        progress_card.show(here, resource, run, found)


def _holds(here: Visitor, resource: Resource, found: News) -> list[str]:
    """Tell what the tables hold, and at the end where that comes from; only a run changes it."""
    since = totals.version(found.runs.get(resource.name))
    held = [
        f"{totals.total(here.organization.id, entity, since):,} {entity.title.lower()}"
        for entity in resource.entities
    ]
    return [*held, source_line.words(here.organization, resource)]


def _refresh_button(here: Visitor) -> None:
    st.button(
        "",
        icon=":material/refresh:",
        help="Refresh",
        key="refresh",
        on_click=run_state.forget,
        args=(here.organization.id,),
    )


def sync_button(
    here: Visitor,
    resource: Resource,
    run: Run | None,
    kind: Literal["primary", "secondary"] = "primary",
) -> None:
    """Show the button that starts a sync, or says that one is on its way."""
    active = bool(run and run.active)
    st.button(
        _label(run),
        icon="spinner" if active else ":material/sync:",
        type=kind,
        key=f"sync-{resource.name}",
        disabled=active,
        on_click=_start,
        args=(here, resource.name),
    )


def _label(run: Run | None) -> str:
    if run is None or not run_state.is_recent(run):
        return "Sync data"
    if run.active:
        return "Syncing..."
    return "Retry" if run.status in FAILED else "Sync again"


def _start(here: Visitor, name: str) -> None:
    try:
        syncs.start(here.organization, name, here.person, "page")
        notice.accept(name)
    except SyncError as error:
        notice.refuse(name, error)
    run_state.forget(here.organization.id)


def _tabs(here: Visitor, resource: Resource, found: News) -> None:
    """Show one tab; the others cost nothing until they are opened."""
    names = ["Rows", "What changed", notice.TO_MEND, "History"]
    rows, changes, person, history = st.tabs(
        names, key=notice.TAB, on_change="rerun", bind="query-params"
    )
    fresh = found.fresh.get(resource.name)
    with rows:
        if rows.open:
            rows_tab.show(here, resource, totals.version(found.runs.get(resource.name)))
    with changes:
        if changes.open:
            run_view.changes(here, fresh)
    with person:
        if person.open:
            run_view.for_a_person(here, fresh)
    with history:
        if history.open:
            history_tab.show(here, resource)
