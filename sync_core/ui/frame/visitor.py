"""Who looks at a page, in which organization; every page asks here before it shows anything."""

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from sync_core.foundation import db, settings
from sync_core.operations import access
from sync_core.organizations import Organization, memberships, people
from sync_core.organizations.memberships import Memberships
from sync_core.organizations.people import Permission, Person

ORGANIZATION = "org"  # of the organization, in the address and in the session
ROLES_CACHE_SECONDS = 10


@dataclass(frozen=True)
class Visitor:
    """A person at a page of an organization, and the organizations to choose from."""

    person: Person
    organization: Organization
    choices: tuple[Organization, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the browser, else that of the organization."""
        try:
            return ZoneInfo(st.context.timezone or self.organization.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(self.organization.time_zone)


def email() -> str | None:
    """Return the address of whoever is signed in: verified, and not too long ago."""
    return people.signed_in(st.user.to_dict(), settings.current().sign_in_age, time.time())


def is_overdue() -> bool:
    """Return whether the sign-in is older than allowed."""
    return people.is_overdue(st.user.to_dict(), settings.current().sign_in_age, time.time())


def current() -> Visitor | None:
    """Return the visitor of this session; None where nobody is signed in, or known anywhere."""
    if (address := email()) is None:
        return None
    known = _memberships(address)
    if not known:
        return None
    slug = _chosen(known)
    organization, person = known[slug]
    return Visitor(person, organization, tuple(organization for organization, _ in known.values()))


def _chosen(known: Memberships) -> str:
    """Return the organization that the address or the session names, else the first."""
    asked = st.query_params.get(ORGANIZATION) or st.session_state.get(ORGANIZATION)
    slug = str(asked) if asked in known else next(iter(known))
    st.session_state[ORGANIZATION] = slug
    return slug


def enter(permission: Permission) -> Visitor:
    """Return the visitor where the page is theirs to see; stops where nobody is signed in.

    Raises SyncError("no_permission").
    """
    here = current()
    if here is None:  # the frame shows the sign-in; without the frame there is nothing to see
        st.stop()
    people.require(here.person, permission)
    return here


def where(here: Visitor, permission: Permission) -> Memberships:
    """Return the organizations in which the visitor may do it, and who they are there."""
    known = _memberships(here.person.email).items()
    return {slug: (there, person) for slug, (there, person) in known if person.may(permission)}


@st.cache_resource(ttl=ROLES_CACHE_SECONDS, show_spinner=False)
def _memberships(address: str) -> Memberships:
    with db.begin() as connection:
        return memberships.of(connection, address)


def forget() -> None:
    """Read roles and organizations again, for they have just been changed."""
    _memberships.clear()


def record_sign_in(here: Visitor) -> None:
    """Record that somebody signed in: once for each sign-in, however many tabs there are."""
    at = st.user.get("auth_time") or st.user.get("iat")
    if st.session_state.get("sign-in-recorded") == at:
        return
    access.sign_in(here.organization, here.person, at)
    st.session_state["sign-in-recorded"] = at


def sign_out(here: Visitor) -> None:
    """Sign the visitor out, and record it."""
    access.sign_out(here.organization, here.person)
    st.logout()
