"""The people of an organization, for its administrators: roles, teams, who comes and goes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from sync_core.foundation import db
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import people
from sync_core.organizations.people import Accounts, Person
from sync_core.ui.frame import asking, demo_sign_in, form
from sync_core.ui.frame.asking import Question
from sync_core.ui.frame.visitor import ORGANIZATION, Visitor
from sync_core.ui.parts import copy_link, drawer, row_table
from sync_core.ui.parts.row_table import Cell, Column, Order, Row, Table
from sync_core.ui.parts.words import DUTIES, ROLES, literal

PERSON = "person"  # in the address: who is opened, by the e-mail
NEW = "new"  # somebody who is still to be added
SORTS: Mapping[str, Callable[[Person], str]] = {
    "name": lambda person: person.name.casefold(),
    "email": lambda person: person.email,
    "role": lambda person: f"{list(Role).index(person.role)}",
    "team": lambda person: person.team.casefold(),
}


def show(here: Visitor) -> None:
    """Show the people; one who is chosen opens in a drawer, as does a form for somebody new."""
    with db.within(here.organization.id) as connection:
        everyone = people.everyone(connection, here.organization.id)
        accounts = people.accounts(connection, here.organization.id)
    with st.container(horizontal=True, vertical_alignment="center", key="head-people"):
        st.caption(
            "The people who are added are invited, and accept it when they sign in.",
            width="content",
        )
        st.space("stretch")
        st.button(
            "Add a person",
            icon=":material/person_add:",
            type="primary",
            key="add-person",
            on_click=_open,
            args=(NEW,),
        )
    alt = f"People of {here.organization.name}"
    opened = row_table.show(_table(everyone, accounts), key="people", alt=alt)
    if opened is not None:
        _open(opened)
    asked = str(st.query_params.get(PERSON, ""))
    chosen = next((person for person in everyone if person.email == asked), None)
    if chosen or asked == NEW:
        title, icon = (chosen.name, "person") if chosen else ("Add a person", "person_add")
        form_of = partial(_person_form, here, chosen, accounts)
        drawer.show(here, title, f":material/{icon}:", form_of, (PERSON,))


def _open(email: str) -> None:
    st.query_params[PERSON] = email


def _table(everyone: Sequence[Person], accounts: Accounts) -> Table:
    """Return all people as a table; so it sorts here, and not in Postgres."""
    order = row_table.order(SORTS)
    columns = (
        Column("Name", "pinned first", "name"),
        Column("E-mail", "", "email"),
        Column("Role", "brief", "role"),
        Column("Team", "", "team"),
        Column("Signs in with", "brief"),
    )
    rows = [
        Row(
            person.email,
            (
                Cell(person.name),
                Cell(person.email),
                Cell(ROLES[person.role], "badge"),
                Cell(person.team),
                Cell(_account(accounts, person), "" if accounts.get(person.email) else "faint"),
            ),
        )
        for person in _sorted(everyone, order)
    ]
    return Table(columns, rows, order, cards=True)


def _sorted(everyone: Sequence[Person], order: Order) -> Sequence[Person]:
    if order.column is None:
        return everyone
    return sorted(everyone, key=SORTS[order.column], reverse=order.descending)


def _account(accounts: Accounts, person: Person) -> str:
    """Return by whom somebody signs in."""
    if person.email not in accounts:
        return "Not accepted yet"
    before = "Not signed in yet" if demo_sign_in.why_closed() else "Demo sign-in"
    return accounts[person.email] or before  # the demo's sign-in binds nobody to an account


def _person_form(here: Visitor, chosen: Person | None, accounts: Accounts) -> None:
    """Show what is known of somebody to change it, and what else can be done."""
    if chosen and chosen.email not in accounts:
        _show_invitation(here)
    with st.form(f"person-{chosen.email if chosen else NEW}", border=False):
        person, beside = _fields(chosen)
        saved = st.form_submit_button(
            "Save" if chosen else "Invite", type="primary", icon=":material/save:"
        )
    if saved and chosen:
        put = partial(administration.put_person, here.organization, here.person, person)
        form.save(put, (PERSON,), beside)
    elif saved:
        form.save(partial(_invite, here, person), beside=beside)
    if chosen:
        _more(here, chosen, accounts)


def _show_invitation(here: Visitor) -> None:
    """Say how an invitation is accepted, with the link to send."""
    with st.container(border=True, gap="xsmall", key="invitation"):
        st.markdown("**Invited, not accepted yet**")
        st.caption("Send them the link. They sign in there, and accept the invitation.")
        copy_link.offer(f"/?{ORGANIZATION}={here.organization.slug}")


def _fields(chosen: Person | None) -> tuple[Person, Mapping[str, DeltaGenerator]]:
    """Ask for a person; returns them, and the place beside the field that an error is about."""
    of = chosen.email if chosen else NEW
    full = st.text_input("Name", chosen.name if chosen else "", key=f"name-{of}")
    beside = dict.fromkeys(("blank_name", "name_too_long", "unseen_in_name"), st.container())
    known = chosen.email if chosen else ""
    email = st.text_input("E-mail", known, disabled=chosen is not None, key=f"email-{of}")
    beside["bad_address"] = st.container()
    roles = list(Role)
    role = st.selectbox(
        "Role",
        roles,
        index=roles.index(chosen.role) if chosen else 0,
        format_func=_role,
        key=f"role-{of}",
    )
    beside["last_admin"] = st.container()
    team = st.text_input("Team", chosen.team if chosen else "", key=f"team-{of}")
    return Person(full.strip(), email.strip(), role, team.strip()), beside


def _invite(here: Visitor, person: Person) -> None:
    """Invite somebody, and open them: there is the link to send."""
    administration.put_person(here.organization, here.person, person)
    st.query_params[PERSON] = person.email.lower()


def _more(here: Visitor, chosen: Person, accounts: Accounts) -> None:
    """Offer to let another account in, and to remove the person."""
    if accounts.get(chosen.email) and st.button(
        "Let another account in",
        icon=":material/key:",
        help="The next account with this verified address is theirs.",
        key="another-account",
    ):
        let_in = partial(administration.let_account_in, here.organization, here.person)
        form.save(partial(let_in, chosen.email), (PERSON,))
    with db.within(here.organization.id) as connection:
        is_last = people.admins(connection, here.organization.id) == {chosen.email}
    if is_last:
        st.caption(f"{literal(chosen.name)} is the only administrator, so nobody can remove them.")
    else:
        _offer_removal(here, chosen)


def _offer_removal(here: Visitor, chosen: Person) -> None:
    question = Question(
        title=f"Remove {chosen.name}?",
        means=f"{literal(chosen.name)} ({literal(chosen.email)}) no longer sees"
        f" {literal(here.organization.name)}, and their tokens and saved views end. What they did"
        " stays in the audit. Undo invites them again.",
        verb=f"Remove {chosen.name}",
        done=f"{chosen.name} was removed.",
        icon=":material/person_remove:",
        chosen_by=(PERSON,),
        undone=f"{chosen.name} is invited again.",
    )
    remove = partial(administration.remove_person, here.organization, here.person, chosen.email)
    invite = partial(administration.put_person, here.organization, here.person, chosen)
    asking.offer(question, remove, invite, key="remove-person")


def _role(role: Role) -> str:
    return f"{ROLES[role]}: {DUTIES[role]}"
