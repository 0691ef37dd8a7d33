"""What ends the emptiness of a resource that was never synced: its source, then its first sync."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.runs import sync_button


def of(here: Visitor, resource: Resource, state: RunState) -> Callable[[], None] | None:
    """Return what shows the button of the next step; None where the visitor may take none."""
    if not source_line.settings_of(here.organization, resource.name):
        return partial(_to_sources, here) if here.person.may("administer") else None
    run = state.runs.get(resource.name)
    if not here.person.may("sync") or (run and (run.active or not run.finished_at)):
        return None
    return partial(_button, here, resource)


def means(here: Visitor, resource: Resource) -> str:
    """Return what has to happen first, and who does it."""
    if source_line.settings_of(here.organization, resource.name):
        who = "" if here.person.may("sync") else " An analyst of your organization starts it."
        return f"They appear here after a sync.{who}"
    if here.person.may("administer"):
        return "First say where they are read."
    return "They have no source yet. An administrator sets it."


def to_overview(here: Visitor) -> None:
    """Show the way to where a first sync starts."""
    _link(here, "overview", "Open the overview", ":material/dashboard:")


def _to_sources(here: Visitor) -> None:
    _link(here, "sources", "Set the source", ":material/cable:")


def _link(here: Visitor, page: str, label: str, icon: str) -> None:
    slug = here.organization.slug
    with st.container(width="content", key=f"way-to-{page}"):
        st.page_link(page_file(page), label=label, icon=icon, query_params={ORGANIZATION: slug})


def _button(here: Visitor, resource: Resource) -> None:
    st.button(
        f"Sync {resource.title.lower()}",
        icon=":material/sync:",
        key=f"first-sync-{resource.name}",
        on_click=sync_button.start,
        args=(here, resource.name),
    )
