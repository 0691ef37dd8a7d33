"""The views that a person has saved of a page: each is a link to its address."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import views
from sync_core.organizations import saved_views
from sync_core.organizations.saved_views import SavedView
from sync_core.ui.frame import error_box
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts.html import render
from sync_core.ui.parts.words import literal

OPENED = {ORGANIZATION, "record", "key", "row", "failure", "action-id", "details"}  # not kept
REFUSED = "view-refused"  # in the session, until the next draw


@dataclass(frozen=True)
class Link:
    """A view as it is offered."""

    name: str
    address: str


def offer(here: Visitor, page: str) -> None:
    """Offer the saved views of a page, and to save what is shown now."""
    with db.within(here.organization.id) as connection:
        found = saved_views.of_person(connection, here.organization.id, here.person, page)
    label = f"Views ({len(found)})" if found else "Views"
    with st.popover(label, icon=":material/bookmark:", key=f"views-{page}"):
        if isinstance(error := st.session_state.pop(REFUSED, None), SyncError):
            error_box.show_sentence(error)
        _list(here, page, found)
        st.text_input(
            "Save this view as",
            key=f"view-name-{page}",
            max_chars=views.LONGEST_NAME,
            placeholder="Such as: Inactive in Perth",
        )
        save = partial(_save, here, page)
        st.button("Save view", icon=":material/bookmark_add:", key=f"save-{page}", on_click=save)


def _list(here: Visitor, page: str, found: Sequence[SavedView]) -> None:
    if not found:
        st.caption("Search, filters, order and columns can be saved, for yourself.")
    for view in found:
        asked = {ORGANIZATION: here.organization.slug, **view.address}
        with st.container(horizontal=True, vertical_alignment="center"):
            link = Link(view.name, f"/{page}?{urlencode(asked, doseq=True)}")
            st.html(render("view_link", link=link), width="content")
            st.button(
                "",
                icon=":material/delete:",
                type="tertiary",
                help=f"Remove {literal(view.name)}",
                key=f"forget-{page}-{view.name}",
                on_click=partial(_forget, here, page, view.name),
            )


def _save(here: Visitor, page: str) -> None:
    name = str(st.session_state.get(f"view-name-{page}", "")).strip()
    shown = {name: st.query_params.get_all(name) for name in st.query_params}
    kept = {
        name: values
        for name, values in shown.items()
        if name not in OPENED and not name.startswith("page-")
    }
    try:
        views.save(here.organization, here.person, page, name, kept)
    except SyncError as error:
        st.session_state[REFUSED] = error
    else:
        st.session_state[f"view-name-{page}"] = ""


def _forget(here: Visitor, page: str, name: str) -> None:
    try:
        views.forget(here.organization, here.person, page, name)
    except SyncError as error:
        st.session_state[REFUSED] = error
