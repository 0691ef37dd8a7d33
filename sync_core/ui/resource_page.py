"""The page of one resource: what it holds, how fresh, the button, the news, the rows."""

import streamlit as st

from sync_core import jobs, places
from sync_core.errors import SyncError
from sync_core.resource import Resource
from sync_core.runs import Run
from sync_core.ui import news, notice, progress_card, rows_tab, totals, visitor
from sync_core.ui.news import News
from sync_core.ui.totals import Version
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import ago, literal

FAILED = ("failed", "timed_out", "expired")


def show(name: str) -> None:
    """Show the page of a resource of the catalogue."""
    here = visitor.enter("read")
    resource = places.by_name(name)
    found = news.read(here.organization.id)
    run = found.runs.get(name)
    with st.container(horizontal=True, vertical_alignment="center", key="head"):
        st.title(resource.title, icon=resource.icon, anchor=False, width="content")
        st.space("stretch")
        _button(here, resource, run)
    st.fragment(run_every=found.pace)(_watch)(here, resource, _seen(run))
    _rows(here, resource, totals.version(run))


def _seen(run: Run | None) -> tuple[int, bool] | None:
    return (run.id, run.active) if run else None


def _watch(here: Visitor, resource: Resource, seen: tuple[int, bool] | None) -> None:
    """Follow the run; when one begins or ends, the whole page shows it, with fresh data."""
    found = news.read(here.organization.id)
    run = found.runs.get(resource.name)
    if _seen(run) != seen:
        st.rerun()
    st.caption(_summary(here, resource, found))
    notice.show(here, resource.name, found)
    if run and run.active:
        progress_card.show(run, found)


def _summary(here: Visitor, resource: Resource, found: News) -> str:
    """Tell what is kept and how fresh it is, in one line."""
    since = totals.version(found.runs.get(resource.name))
    parts = [
        f"{totals.total(here.organization.id, entity, since):,} {entity.title.lower()}"
        for entity in resource.entities
    ]
    fresh = found.fresh.get(resource.name)
    if fresh and fresh.finished_at:
        parts.append(f"synced {ago(fresh.finished_at)} by {literal(fresh.requested_by)}")
    return " · ".join(parts)


def _button(here: Visitor, resource: Resource, run: Run | None) -> None:
    if not here.person.may("sync"):
        return
    active = bool(run and run.active)
    st.button(
        _label(run),
        icon="spinner" if active else ":material/sync:",
        type="primary",
        key=f"sync-{resource.name}",
        disabled=active,
        on_click=_start,
        args=(here, resource.name),
    )


def _label(run: Run | None) -> str:
    if run is None or not news.is_recent(run):
        return "Sync data"
    if run.active:
        return "Syncing..."
    return "Retry" if run.status in FAILED else "Sync again"


def _start(here: Visitor, name: str) -> None:
    try:
        jobs.start(here.organization, name, here.person, "page")
        notice.accept(name)
    except SyncError as error:
        notice.refuse(name, error)
    news.forget(here.organization.id)


def _rows(here: Visitor, resource: Resource, since: Version) -> None:
    titles = {entity.name: entity.title for entity in resource.entities}
    chosen = next(iter(titles))
    if len(titles) > 1:
        chosen = st.segmented_control(
            "Table",
            list(titles),
            format_func=titles.__getitem__,
            default=chosen,
            required=True,
            key=f"entity-{resource.name}",
            label_visibility="collapsed",
        )
    rows_tab.show(here, places.entity(resource, chosen), since)
