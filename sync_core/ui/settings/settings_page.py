"""The settings of an organization, for its administrators."""

import streamlit as st

from sync_core.foundation import settings
from sync_core.ui.frame import asking, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import page_head, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
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
    page_head.show("Settings", ":material/settings:")
    asking.show_answer()
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
        names, key="settings-tab", on_change="rerun", bind="query-params"
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
    columns = [
        Column("Name", "pinned"),
        Column("Short name"),
        Column("Country"),
        Column("Time zone"),
    ]
    rows = [
        Row("", [Cell(one.name), Cell(one.slug), Cell(one.country), Cell(one.time_zone)])
        for one in here.choices
    ]
    row_table.show(Table(columns, rows), key="organizations", alt="Your organizations")
    st.caption(
        "Whose data it is: every run, row and setting belongs to one organization. The people who"
        " operate this program add others."
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
