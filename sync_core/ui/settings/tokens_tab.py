"""The tokens of an organization, for its administrators: programs ask the API with them."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import tokens as operations
from sync_core.organizations import people, tokens
from sync_core.organizations.people import Permission
from sync_core.organizations.tokens import Token
from sync_core.ui.frame import asking, form
from sync_core.ui.frame.asking import Question
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import drawer, paging, row_table
from sync_core.ui.parts.row_table import Cell, Column, Row, Table
from sync_core.ui.parts.words import DUTIES, ROLES, literal, moment

PROGRAM = "program"  # in the address: the name of the token that is opened
COLUMNS = ("Name", "May", "Made by", "Made", "Ends", "Last used")
MADE = "made-token"  # in the session, until it was shown


def show(here: Visitor) -> None:
    """Show the tokens, and a form for another one."""
    with db.within(here.organization.id) as connection:
        found = tokens.everyone(connection, here.organization.id)
    _show_secret()
    _table(here, found)
    _new(here)
    asked = st.query_params.get(PROGRAM)
    for one in found:
        if one.name == asked:
            drawer.show(here, one.name, ":material/key:", partial(_show, here, one), (PROGRAM,))


def _show(here: Visitor, token: Token) -> None:
    """Show all that is known of a token, and offer to revoke it."""
    known = dict(zip(COLUMNS[1:], map(literal, _cells(here, token)[1:]), strict=True))
    st.table(known, border="horizontal")
    question = Question(
        title=f"Revoke {token.name}?",
        means="Programs that use this token are refused at once. This cannot be undone: make"
        " another token, and give it to them.",
        verb=f"Revoke {token.name}",
        done=f"The token {token.name} was revoked.",
        icon=":material/key_off:",
        chosen_by=(PROGRAM,),
    )
    revoke = partial(operations.revoke, here.organization, here.person, token.name)
    asking.offer(question, revoke, key="revoke-token")


def _show_secret() -> None:
    if secret := st.session_state.pop(MADE, None):
        st.success("The token is made. Copy it now: it is not shown again.")
        st.code(secret, language=None)


def _table(here: Visitor, found: Sequence[Token]) -> None:
    """Show all tokens; the address names the one that is opened."""
    if not found:
        paging.show_empty(
            ":material/key:", "There is no token.", "Programs use one to call the API."
        )
        return
    kinds = ("pinned first", "", "", "brief", "brief", "brief")
    columns = [Column(label, kind) for label, kind in zip(COLUMNS, kinds, strict=True)]
    rows = [Row(one.name, list(map(Cell, _cells(here, one)))) for one in found]
    alt = f"Tokens of {here.organization.name}"
    opened = row_table.show(Table(columns, rows, cards=True), key="tokens", alt=alt)
    if opened is not None:
        st.query_params[PROGRAM] = opened


def _cells(here: Visitor, one: Token) -> tuple[str, ...]:
    return (
        one.name,
        _may(one),
        one.made_by,
        moment(one.made_at, here.zone),
        moment(one.ends_at, here.zone) if one.ends_at else "When it is revoked",
        moment(one.used_at, here.zone) if one.used_at else "Never",
    )


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
                "Ends after (days)",
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
