"""Who asks over HTTP, and in which organizations."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection, Request

from sync_core.api import rate
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, memberships, people, tokens
from sync_core.organizations.memberships import Memberships
from sync_core.organizations.people import Person
from sync_core.runs import recovery

Claims = Callable[[HTTPConnection], Mapping[str, Any]]  # what the cookie of a request says, if ours
Seat = tuple[Organization, Person]  # an organization, and who somebody is there
OUR_SITES = frozenset({"same-origin", "none"})  # a link of ours, or an address that somebody typed
TOKEN = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A token of an organization, made in Settings or by `syncdesk token add`.",
)
COOKIE = APIKeyCookie(
    name="_streamlit_user",
    scheme_name="sign-in",
    auto_error=False,
    description="The sign-in of the pages; it counts only for requests from a page of ours.",
)


def no_claims(_connection: HTTPConnection) -> Mapping[str, Any]:
    """Return what the cookie says where there are no pages: nothing."""
    return {}


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: who they are in each of their organizations, by its short name."""

    seats: Memberships

    def seat(self, slug: str | None) -> Seat:
        """Return the organization of this short name; without one, the only one of theirs.

        Raises SyncError: unknown_organization, name_the_organization.
        """
        if slug is None:
            return self._only()
        if slug not in self.seats:
            raise SyncError("unknown_organization", slug=slug)
        return self.seats[slug]

    def some(self, slugs: Sequence[str]) -> list[Seat]:
        """Return these organizations; with no short name, all where they may export.

        Raises SyncError("unknown_organization").
        """
        every = list(self.seats.values())
        may_export = [(organization, by) for organization, by in every if by.may("export")]
        return [self.seat(slug) for slug in slugs] or may_export or every

    def _only(self) -> Seat:
        if len(self.seats) != 1:
            raise SyncError("name_the_organization", known=", ".join(self.seats))
        return next(iter(self.seats.values()))


def comes_from_us(headers: Mapping[str, str]) -> bool:
    """Return whether a page of ours asks, or a person directly; not a page of another site."""
    if site := headers.get("sec-fetch-site"):
        return site in OUR_SITES
    host = headers.get("host")
    asked_by = [headers[name] for name in ("origin", "referer") if name in headers]
    return all(urlsplit(address).netloc == host for address in asked_by)


def identify(connection: HTTPConnection) -> Caller:
    """Return who asks, by a token or by the sign-in of the pages.

    Raises SyncError: bad_token, not_signed_in, another_site, unknown_person.
    """
    if shown := connection.headers.get("authorization"):
        return _by_token(connection, shown)
    if not comes_from_us(connection.headers):
        raise SyncError("another_site")
    claims: Claims = connection.app.state.claims
    email = people.signed_in(claims(connection), settings.current().sign_in_age, time.time())
    if email is None:
        raise SyncError("not_signed_in")
    with db.begin() as database:
        known = memberships.of(database, email)
    if not known:
        raise SyncError("unknown_person", email=email, organization="any organization")
    return Caller(known)


def _by_token(connection: HTTPConnection, shown: str) -> Caller:
    scheme, _, secret = shown.partition(" ")
    with db.begin() as database:
        seat = tokens.use(database, secret.strip()) if scheme.lower() == "bearer" else None
    if seat is None:
        rate.count_guess(connection)
        raise SyncError("bad_token")
    return Caller({seat[0].slug: seat})


def _of_request(
    request: Request,
    _token: Annotated[object, Depends(TOKEN)],
    _cookie: Annotated[object, Depends(COOKIE)],
) -> Caller:
    caller = identify(request)
    with db.begin() as database:
        theirs = [organization.id for organization, _ in caller.seats.values()]
        recovery.close_overdue(database, organizations=theirs)
    return caller


By = Annotated[Caller, Depends(_of_request)]
