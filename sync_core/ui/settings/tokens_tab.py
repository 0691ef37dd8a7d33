"""The tokens of an organization, for its administrators: programs ask the API with them."""

import pandas as pd
import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import tokens as operations
from sync_core.organizations import people, tokens
from sync_core.organizations.people import Permission
from sync_core.organizations.tokens import Token
from sync_core.ui.frame import form
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import paging
from sync_core.ui.parts.words import DUTIES, ROLES, literal, moment

MADE = "made-token"  # in the session, until it was shown


def show(here: Visitor) -> None:
    """Show the tokens, and a form for another one."""
    with db.begin() as connection:
        found = tokens.everyone(connection, here.organization.id)
    _show_secret()
    picked = _table(here, found)
    if picked and st.button(f"Revoke {literal(picked.name)}", icon=":material/key_off:"):
        form.save(lambda: operations.revoke(here.organization, here.person, picked.name))
    _new(here)


def _show_secret() -> None:
    if secret := st.session_state.pop(MADE, None):
        st.success("The token is made. Copy it now: it is not shown again.")
        st.code(secret, language=None)


def _table(here: Visitor, found: list[Token]) -> Token | None:
    if not found:
        paging.show_empty("key", "There is no token.", "Programs ask the API with one.")
        return None
    zone = here.zone
    event = st.dataframe(
        pd.DataFrame(
            [
                [
                    one.name,
                    _may(one),
                    one.made_by,
                    moment(one.made_at, zone),
                    moment(one.ends_at, zone) if one.ends_at else "When it is revoked",
                    moment(one.used_at, zone) if one.used_at else "Never",
                ]
                for one in found
            ],
            columns=["Name", "May", "Made by", "Made", "Ends", "Last used"],
        ),
        hide_index=True,
        height=paging.height(len(found)),
        row_height=paging.ROW_PIXELS,
        on_select="rerun",
        selection_mode="single-row",
        key="tokens",
        alt=f"Tokens of {here.organization.name}",
    )
    rows = event.selection.rows
    return found[rows[0]] if rows and rows[0] < len(found) else None


def _new(here: Visitor) -> None:
    roles = list(Role)
    with st.container(border=True), st.form("token", border=False):
        st.markdown("**Make a token**")
        st.caption(
            "What a program does with it is recorded under your name. It ends with your role as"
            " an administrator, too."
        )
        with st.container(horizontal=True):
            name = st.text_input("Name", placeholder="Front desk", key="token-name")
            role = st.selectbox(
                "Role",
                roles,
                index=roles.index(Role.VIEWER),
                format_func=_role,
                key="token-role",
            )
            permissions = st.multiselect(
                "Only",
                people.PERMISSIONS,
                format_func=_permission,
                placeholder="All that the role may",
                help="Of what the role may, the token may only this.",
                key="token-permissions",
            )
            days = st.number_input(
                "Ends after so many days",
                min_value=1,
                max_value=operations.LONGEST,
                value=90,
                help="Blank: when it is revoked.",
                key="token-days",
            )
        made = st.form_submit_button("Make", type="primary", icon=":material/key:")
    if made:
        form.save(lambda: _make(here, name, role, int(days) if days else None, permissions))


def _role(role: Role) -> str:
    return f"{ROLES[role]}: {DUTIES[role]}"


def _may(one: Token) -> str:
    if one.permissions is None:
        return ROLES[one.role]
    return f"{ROLES[one.role]}: only {', '.join(one.permissions)}"


def _permission(permission: Permission) -> str:
    return f"{permission}: {people.WORDS[permission]}"


def _make(
    here: Visitor, name: str, role: Role, days: int | None, permissions: list[Permission]
) -> None:
    made = operations.add(here.organization, here.person, name, role, days, permissions)
    st.session_state[MADE] = made
