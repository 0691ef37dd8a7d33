"""The sign-in page, also for those who are signed in but not let in."""

import json

import streamlit as st

from sync_core import organizations
from sync_core.foundation import db
from sync_core.foundation.settings import LOOPBACK
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.ui import STATIC
from sync_core.ui.frame import demo_sign_in, visitor
from sync_core.ui.parts.words import DUTIES, ROLES, literal


class UnsafeStartError(SystemExit):
    """The pages would be open to everybody; the message says what to set."""


def refuse_unsafe_start() -> None:
    """Raise UnsafeStartError where others could come in without signing in."""
    address = st.get_option("server.address")
    if not demo_sign_in.has_auth() and address not in LOOPBACK:
        raise UnsafeStartError(
            f"Nobody could be asked to sign in at {address or 'every address of this machine'}:"
            " describe your OpenID provider under [auth] in .streamlit/secrets.toml,"
            " or stay on this machine with --server.address 127.0.0.1."
        )


def show(path: str) -> None:
    """Show how to come in; afterwards the visitor sees the page that was asked for."""
    with st.container(horizontal_alignment="center"):
        st.space("large")
        with st.container(border=True, width=460, gap="small", key="sign-in"):
            with st.container(horizontal_alignment="center"):
                st.image(str(STATIC / "icon.svg"), width=44, alt="Sync Desk")
                st.title("Sign in to Sync Desk", anchor=False, text_alignment="center")
            _say_why()
            if demo_sign_in.has_auth():
                st.button(
                    "Continue",
                    type="primary",
                    icon=":material/login:",
                    width="stretch",
                    on_click=st.login,
                    key="login",
                )
            elif demo_sign_in.is_open(st.context.headers):
                _choose_somebody(path)
            else:
                st.warning("The demo sign-in works only at the machine itself.")


def _say_why() -> None:
    """Show those who signed in why they are not let in."""
    if not st.user.get("is_logged_in"):
        return
    address = literal(st.user.get("email") or "Your address")
    if visitor.is_overdue():
        st.info("Your sign-in has ended. Sign in again.", icon=":material/schedule:")
    elif st.user.get("email_verified") is False:
        st.warning(f"{address} is not verified by your sign-in service.", icon=":material/block:")
    else:
        st.warning(
            f"{address} is not known in any organization. Ask an administrator to add it.",
            icon=":material/person_off:",
        )
    st.button("Sign out", icon=":material/logout:", on_click=st.logout, key="sign-out-stranger")


def _choose_somebody(path: str) -> None:
    st.caption("This is a demo on your own machine: choose who you are.", text_alignment="center")
    for person in _people():
        st.button(
            f"**{literal(person.name)}** · {ROLES[person.role]}, {DUTIES[person.role]}",
            icon=":material/person:",
            width="stretch",
            on_click=_sign_in_as,
            args=(person, path),
            key=f"sign-in-as-{person.email}",
        )
    if address := st.session_state.pop("demo-sign-in-address", None):
        st.html(
            f"<script>location.assign({json.dumps(address)})</script>", unsafe_allow_javascript=True
        )


def _sign_in_as(person: Person, path: str) -> None:
    st.session_state["demo-sign-in-address"] = demo_sign_in.address(person.email, person.name, path)


def _people() -> list[Person]:
    """Return the people of all organizations, each once."""
    with db.begin() as connection:
        known = [
            person
            for organization in organizations.everyone(connection)
            for person in people.everyone(connection, organization.id)
        ]
    return list({person.email: person for person in reversed(known)}.values())[::-1]
