"""The settings of an organization, for its administrators: its people, and further ones."""

from collections.abc import Callable
from typing import get_args

import pandas as pd
import streamlit as st

from sync_core import administration, db, people, settings
from sync_core.errors import SyncError
from sync_core.people import Person, Role
from sync_core.ui import paging, visitor
from sync_core.ui.visitor import Visitor
from sync_core.ui.words import DUTIES, ROLES, lasted, literal


def show() -> None:
    """Show the settings to administrators."""
    here = visitor.enter("administer")
    with st.container(horizontal=True, key="head"):
        st.title("Settings", icon=":material/settings:", anchor=False)
    persons, groups, limits = st.tabs(
        ["People", "Organizations", "Time limits"], key="settings-tab", on_change="rerun"
    )
    with persons:
        if persons.open:
            _people(here)
    with groups:
        if groups.open:
            _organizations(here)
    with limits:
        if limits.open:
            _limits()


def _people(here: Visitor) -> None:
    with db.begin() as connection:
        everyone = people.everyone(connection, here.organization.id)
    columns = st.column_config
    event = st.dataframe(
        pd.DataFrame(
            [[p.name, p.email, [ROLES[p.role]], p.team] for p in everyone],
            columns=["Name", "E-mail", "Role", "Team"],
        ),
        hide_index=True,
        height=paging.height(len(everyone)),
        row_height=paging.ROW_HEIGHT,
        on_select="rerun",
        selection_mode="single-row",
        key="people",
        column_config={
            "Role": columns.MultiselectColumn(
                options=[ROLES[role] for role in get_args(Role)],
                color=["gray", "blue", "violet", "green"],
            )
        },
        alt=f"People of {here.organization.name}",
    )
    picked = event.selection.rows
    chosen = everyone[picked[0]] if picked and picked[0] < len(everyone) else None
    st.caption("Choose a person to change the role or the team, or add somebody.")
    _person_form(here, chosen)


def _person_form(here: Visitor, chosen: Person | None) -> None:
    name = chosen.email if chosen else "new"
    with st.container(border=True), st.form(f"person-{name}", border=False):
        st.markdown(f"**{literal(chosen.name)}**" if chosen else "**Add somebody**")
        with st.container(horizontal=True):
            full = st.text_input("Name", chosen.name if chosen else "", key=f"name-{name}")
            email = st.text_input(
                "E-mail",
                chosen.email if chosen else "",
                disabled=chosen is not None,
                key=f"email-{name}",
            )
        with st.container(horizontal=True):
            roles = list(get_args(Role))
            role = st.selectbox(
                "Role",
                roles,
                index=roles.index(chosen.role) if chosen else 0,
                format_func=_role,
                key=f"role-{name}",
            )
            team = st.text_input("Team", chosen.team if chosen else "", key=f"team-{name}")
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save", type="primary", icon=":material/save:")
            removed = chosen and st.form_submit_button("Remove", icon=":material/person_remove:")
    person = Person(full.strip(), email.strip(), role, team.strip())
    if saved:
        _do(lambda: administration.put_person(here.organization, here.person, person))
    if removed:
        _do(lambda: administration.remove_person(here.organization, here.person, person.email))


def _role(role: Role) -> str:
    return f"{ROLES[role]}: {DUTIES[role]}"


def _organizations(here: Visitor) -> None:
    st.dataframe(
        pd.DataFrame(
            [[found.name, found.slug, found.country, found.time_zone] for found in here.choices],
            columns=["Name", "Short name", "Country", "Time zone"],
        ),
        hide_index=True,
        row_height=paging.ROW_HEIGHT,
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
            _do(lambda: administration.add_organization(here.person, slug, name, country, zone))


def _limits() -> None:
    current = settings.current()
    limits = {
        "A source may stay silent for": lasted(current.fetch_timeout),
        "Between the end of a run and the next": lasted(current.cooldown),
        "People sign in again after": lasted(current.sign_in_age),
    }
    st.table(limits, border="horizontal", width="content")
    st.caption("These come from the environment of the program; the README names the variables.")


def _do(change: Callable[[], object]) -> None:
    """Make a change, or say why not."""
    try:
        change()
    except SyncError as error:
        st.error(literal(error.advice), title=literal(error.sentence), icon=":material/error:")
        return
    visitor.forget()
    st.toast("Saved.", icon=":material/check:")
    st.rerun()
