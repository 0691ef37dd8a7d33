"""Who asks over HTTP, and in which organizations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, memberships
from sync_core.organizations.people import Person

Claims = Callable[[Request], Mapping[str, Any]]  # what the cookie of a request says, if it is ours
OUR_SITES = frozenset({"same-origin", "none"})  # a link of ours, or an address that somebody typed


def comes_from_us(headers: Mapping[str, str]) -> bool:
    """Return whether a page of ours asks, or a person directly; not a page of another site."""
    if site := headers.get("sec-fetch-site"):
        return site in OUR_SITES
    host = headers.get("host")
    asked_by = [headers[name] for name in ("origin", "referer") if name in headers]
    return all(urlsplit(address).netloc == host for address in asked_by)


def callers_of(email: str, slugs: Sequence[str]) -> list[tuple[Organization, Person]]:
    """Return the organizations with who somebody is there; with no slug, all where they may export.

    Raises SyncError: unknown_organization for one that does not know them, unknown_person where
    none does.
    """
    with db.begin() as connection:
        known = memberships.of(connection, email)
    if not known and not slugs:
        raise SyncError("unknown_person", email=email, organization="any organization")
    for slug in slugs:
        if slug not in known:
            raise SyncError("unknown_organization", slug=slug)
    return [asker for slug, asker in known.items() if slug in slugs or not slugs]
