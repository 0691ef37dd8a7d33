"""The people of an organization, for its administrators: roles, teams, who comes and goes."""

import pandas as pd
import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.ui.frame import form
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import DUTIES, ROLES, literal


def show(here: Visitor) -> None:
    """Show the people, and a form for the one who is chosen, or for somebody new."""
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
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        key="people",
        column_config={
            "Role": columns.MultiselectColumn(
                options=[ROLES[role] for role in Role],
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
            roles = list(Role)
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
        form.save(lambda: administration.put_person(here.organization, here.person, person))
    if removed:
        form.save(
            lambda: administration.remove_person(here.organization, here.person, person.email)
        )


def _role(role: Role) -> str:
    return f"{ROLES[role]}: {DUTIES[role]}"
