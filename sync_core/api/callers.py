"""Who asks over HTTP, and in which organizations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.requests import HTTPConnection, Request

from sync_core.api import rate
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import access
from sync_core.organizations import Organization, sign_ins, tokens
from sync_core.organizations.memberships import Memberships
from sync_core.organizations.people import Person
from sync_core.runs import recovery

Claims = Callable[[HTTPConnection], Mapping[str, Any]]  # what the cookie of a request says, if ours
Seat = tuple[Organization, Person]  # an organization, and who somebody is there
OUR_SITES = frozenset({"same-origin", "none"})  # a link of ours, or an address that somebody typed
TOKEN = HTTPBearer(
    scheme_name="token",
    auto_error=False,
    description="A token of an organization, made in Settings.",
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
    return all(server_of(address) == host for address in asked_by)


def server_of(address: str) -> str | None:
    """Return host and port of an address as a browser names it; None where it is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def identify(connection: HTTPConnection) -> Caller:
    """Return who asks, by a token or by the sign-in of the pages.

    Raises SyncError: bad_token, another_site, not_signed_in, bad_sign_in, address_not_verified,
    sign_in_ended, another_account, unknown_person.
    """
    if shown := connection.headers.get("authorization"):
        return _by_token(connection, shown)
    return by_cookie(connection, connection.app.state.claims)


def by_cookie(connection: HTTPConnection, claims: Claims) -> Caller:
    """Return who asks, by the sign-in of the pages.

    Raises SyncError: another_site, not_signed_in, bad_sign_in, address_not_verified, sign_in_ended,
    another_account, unknown_person.
    """
    if not comes_from_us(connection.headers):
        raise SyncError("another_site")
    sign_in = sign_ins.read(claims(connection))
    return Caller(access.arrive(sign_in).require(sign_in))


def _by_token(connection: HTTPConnection, shown: str) -> Caller:
    scheme, _, secret = shown.partition(" ")
    with db.everywhere() as database:
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
    theirs = [organization.id for organization, _ in caller.seats.values()]
    with db.within(*theirs) as database:
        recovery.close_overdue(database, organizations=theirs)
    return caller


By = Annotated[Caller, Depends(_of_request)]
