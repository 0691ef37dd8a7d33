"""Who looks at the pages, of which organization; every page asks here before it shows anything."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from sync_core import db, demo, organizations, people
from sync_core.organizations import Organization
from sync_core.people import Permission, Person

CHOICE = "org"  # of the organization, in the address and in the session


@dataclass(frozen=True)
class Visitor:
    """A person at a page of an organization."""

    person: Person
    organization: Organization

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the browser, else that of the organization."""
        try:
            return ZoneInfo(st.context.timezone or self.organization.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(self.organization.time_zone)


def current() -> Visitor:
    """Give the visitor of this session."""
    if asked := st.query_params.get(CHOICE):
        st.session_state[CHOICE] = asked
    organization = _organization(st.session_state.get(CHOICE, organizations.DEFAULT))
    email = str(st.user.get("email") or "") if st.user.get("is_logged_in") else ""
    return Visitor(_person(organization, email), organization)


def enter(permission: Permission) -> Visitor:
    """Give the visitor where the page is theirs to see. Raises SyncError("no_permission")."""
    visitor = current()
    people.require(visitor.person, permission)
    return visitor


@st.cache_data(ttl=30, show_spinner=False)
def _organization(slug: str) -> Organization:
    with db.begin() as connection:
        return organizations.get(connection, slug)


@st.cache_data(ttl=30, show_spinner=False)
def _person(organization: Organization, email: str) -> Person:
    with db.begin() as connection:
        found = people.find(connection, organization.id, email)
        everyone = people.everyone(connection, organization.id) or demo.PEOPLE
    return found or next(person for person in everyone if person.may("administer"))
