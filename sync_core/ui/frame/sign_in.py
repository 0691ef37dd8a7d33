"""The sign-in page, also for those who are signed in but not let in."""

import streamlit as st

from sync_core import organizations
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.ui import STATIC
from sync_core.ui.frame import demo_sign_in, offers, visitor
from sync_core.ui.parts.words import DUTIES, ROLES, literal

_go = st.components.v2.component(
    "go_to_an_address", js="export default ({ data }) => location.assign(data)"
)


class UnsafeStartError(SystemExit):
    """The pages would be open to whoever comes; the message says what to set."""


def refuse_unsafe_start() -> None:
    """Raise UnsafeStartError where nobody can sign in who may be trusted."""
    why = demo_sign_in.why_closed()
    if why and not demo_sign_in.has_auth():
        raise UnsafeStartError(
            "Nobody could sign in to these pages: describe your OpenID provider under [auth] in"
            " .streamlit/secrets.toml. The people of the demo are not offered here, for"
            f" {why}."
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
    """Show those who signed in why they are not let in, or where they may come in."""
    if not st.user.get("is_logged_in"):
        return
    try:
        sign_in, places = visitor.arrival()
        if places.offered:
            offers.show(places.offered.values())
        else:
            places.require(sign_in)
    except SyncError as error:
        if error.code != "not_signed_in":
            words = literal(f"{error.sentence} {error.advice}")
            st.warning(words, icon=":material/person_off:")
    st.button("Sign out", icon=":material/logout:", on_click=visitor.leave, key="sign-out-stranger")


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
        _go(key="go", data=address, height=0)


def _sign_in_as(person: Person, path: str) -> None:
    st.session_state["demo-sign-in-address"] = demo_sign_in.address(person.email, person.name, path)


def _people() -> list[Person]:
    """Return the people of all organizations, each once; to whom a place is offered, too."""
    with db.everywhere() as connection:
        known = [
            person
            for organization in organizations.everyone(connection)
            for person in people.everyone(connection, organization.id)
        ]
    return list({person.email: person for person in reversed(known)}.values())[::-1]
