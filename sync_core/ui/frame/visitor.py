"""Who looks at a page, in which organization; every page asks here before it shows anything.

A part of a page that is drawn again without the rest, or a dialog, asks again each time: so nobody
goes on in an open page as who they were when it was drawn.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from sync_core.foundation.errors import SyncError
from sync_core.operations import access
from sync_core.organizations import Organization, people, sign_ins
from sync_core.organizations.memberships import Memberships, Places
from sync_core.organizations.people import FRESH_SECONDS, Permission, Person
from sync_core.organizations.preferences import Preferences
from sync_core.organizations.sign_ins import SignIn
from sync_core.ui.frame import addressed

ORGANIZATION = "org"  # of the organization, in the address and in the session
P = ParamSpec("P")


@dataclass(frozen=True)
class Visitor:
    """A person at a page of an organization, and the organizations to choose from."""

    person: Person
    organization: Organization
    choices: tuple[Organization, ...]
    offers: tuple[tuple[Organization, Person], ...] = ()  # places that they may take
    preferences: Preferences = field(default_factory=Preferences)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that they chose, else that of the browser, or of the organization."""
        for name in (self.preferences.time_zone, st.context.timezone):
            with suppress(ZoneInfoNotFoundError, ValueError):
                if name:
                    return ZoneInfo(name)
        return ZoneInfo(self.organization.time_zone)


def arrival() -> tuple[SignIn, Places]:
    """Return by which sign-in somebody is here, and where they belong, as it was 2 s ago at most.

    Raises SyncError: not_signed_in, bad_sign_in, address_not_verified, sign_in_ended.
    """
    claims = st.user.to_dict()
    if not addressed.counts(claims, st.context.headers):
        raise SyncError("not_signed_in")
    sign_in = sign_ins.read(claims)
    return sign_in, _places(sign_in)


def current() -> Visitor | None:
    """Return the visitor of this session; None where nobody is signed in, or known anywhere."""
    try:
        sign_in, places = arrival()
        known = places.require(sign_in)
    except SyncError:  # the sign-in page says why
        return None
    slug = _chosen(known)
    organization, person = known[slug]
    choices = tuple(organization for organization, _ in known.values())
    offered = tuple(places.offered.values())
    return Visitor(person, organization, choices, offered, places.preferences)


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


def fragment(
    here: Visitor, draw: Callable[P, None], every: float | None = None
) -> Callable[P, None]:
    """Return what draws a part of a page, also again without the rest, as long as it is theirs."""
    part: Callable[P, None] = st.fragment(run_every=every)(_as_long_as(here, draw))
    return part


def dialog(
    here: Visitor,
    title: str,
    icon: str,
    draw: Callable[[], None],
    **look: Any,  # noqa: ANN401 - whatever Streamlit lets a dialog be
) -> None:
    """Open a dialog, which goes on as long as the visitor is who they were."""
    st.dialog(title, icon=icon, **look)(_as_long_as(here, draw))()


def _as_long_as(here: Visitor, draw: Callable[P, None]) -> Callable[P, None]:
    """Return what draws as long as the visitor is who they were; else the page is drawn anew."""

    def look(*args: P.args, **kwargs: P.kwargs) -> None:
        if current() != here:
            st.rerun()
        draw(*args, **kwargs)

    named = getattr(draw, "func", draw)  # also of a partial: Streamlit tells parts apart by it
    return wraps(named)(look)


def where(permission: Permission) -> Memberships:
    """Return the organizations in which the visitor may do it, and who they are there."""
    known = arrival()[1].taken.items()
    return {slug: (there, person) for slug, (there, person) in known if person.may(permission)}


@st.cache_resource(ttl=FRESH_SECONDS, max_entries=10_000, show_spinner=False)
def _places(sign_in: SignIn) -> Places:
    return access.arrive(sign_in)


def forget() -> None:
    """Read roles and organizations again, for they have just been changed."""
    _places.clear()


def record_sign_in(here: Visitor) -> None:
    """Record that somebody signed in: once for each sign-in, however many tabs there are."""
    at = st.user.get("auth_time") or st.user.get("iat")
    if st.session_state.get("sign-in-recorded") == at:
        return
    access.sign_in(here.organization, here.person, at)
    st.session_state["sign-in-recorded"] = at


def sign_out(here: Visitor, *, everywhere: bool = False) -> None:
    """Sign the visitor out, here or on all their devices, and record it."""
    with suppress(SyncError):  # it has ended already
        access.sign_out(here.organization, here.person, everywhere=everywhere)
    forget()
    st.logout()


def open_first(here: Visitor) -> None:
    """Let this organization open first for the visitor."""
    with suppress(SyncError):  # the page that is drawn now says what has changed
        access.open_first(here.organization, here.person)
    forget()


def prefer(here: Visitor, wanted: Preferences) -> None:
    """Keep how the visitor wants the pages. Raises SyncError: no_permission, unknown_time_zone."""
    access.prefer(here.organization, here.person, wanted)
    forget()


def leave() -> None:
    """Sign somebody out who belongs nowhere."""
    with suppress(SyncError):
        access.leave(arrival()[0])
    forget()
    st.logout()


def accept(organization: Organization) -> None:
    """Take the place that an organization offers, and go there."""
    access.accept(organization, arrival()[0])
    forget()
    st.session_state[ORGANIZATION] = st.query_params[ORGANIZATION] = organization.slug


def decline(organization: Organization) -> None:
    """Refuse the place that an organization offers."""
    access.decline(organization, arrival()[0])
    forget()
