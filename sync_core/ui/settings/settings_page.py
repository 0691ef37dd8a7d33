"""The settings of an organization, for its administrators."""

import pandas as pd
import streamlit as st

from sync_core.foundation import settings
from sync_core.operations import administration
from sync_core.ui.frame import form, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import lasted
from sync_core.ui.settings import (
    channels_tab,
    people_tab,
    queue_tab,
    retention_tab,
    rules_tab,
    tokens_tab,
)


def show() -> None:
    """Show the settings. Raises SyncError("no_permission")."""
    here = visitor.enter("administer")
    with st.container(horizontal=True, key="head"):
        st.title("Settings", icon=":material/settings:", anchor=False)
    names = [
        "People",
        "Resources",
        "Notifications",
        "Tokens",
        "Queue",
        "Old values",
        "Organizations",
        "Program",
    ]
    persons, rules, told, keys, waiting, old, groups, limits = st.tabs(
        names, key="settings-tab", on_change="rerun"
    )
    with persons:
        if persons.open:
            people_tab.show(here)
    with rules:
        if rules.open:
            rules_tab.show(here)
    with told:
        if told.open:
            channels_tab.show(here)
    with keys:
        if keys.open:
            tokens_tab.show(here)
    with waiting:
        if waiting.open:
            queue_tab.show(here)
    with old:
        if old.open:
            retention_tab.show(here)
    with groups:
        if groups.open:
            _organizations(here)
    with limits:
        if limits.open:
            _program()


def _organizations(here: Visitor) -> None:
    st.dataframe(
        pd.DataFrame(
            [[found.name, found.slug, found.country, found.time_zone] for found in here.choices],
            columns=["Name", "Short name", "Country", "Time zone"],
        ),
        hide_index=True,
        row_height=paging.ROW_PIXELS,
        key="organizations",
        alt="Your organizations",
    )
    st.caption("Whose data it is: every run, row and setting belongs to one organization.")
    with st.container(border=True), st.form("organization", border=False, clear_on_submit=True):
        st.markdown("**Add an organization**")
        with st.container(horizontal=True):
            name = st.text_input("Name", placeholder="Harbor Clinics")
            slug = st.text_input("Short name", placeholder="harbor")
        with st.container(horizontal=True):
            country = st.text_input("Country", "AU", help="ISO code; it is that of the phones.")
            zone = st.text_input("Time zone", "Australia/Perth")
        if st.form_submit_button("Add", type="primary", icon=":material/add:"):
            form.save(
                lambda: administration.add_organization(here.person, slug, name, country, zone)
            )


def _program() -> None:
    current = settings.current()
    limits = {
        "A sync may take, where nothing else is decided": lasted(current.time_limits.usual),
        "A source may stay silent for": lasted(current.fetch_timeout),
        "Between the end of a run and the next": lasted(current.cooldown),
        "People sign in again after": lasted(current.sign_in_age),
    }
    st.table(limits, border="horizontal", width="content")
    st.caption("These come from the environment of the program; the README names the variables.")
