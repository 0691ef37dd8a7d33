"""Files that a page has prepared: kept in its process until its visitor asks for them.

Their addresses answer, as all others do, to the sign-in or the token of who may have them now.
"""

import secrets
import threading
from collections import OrderedDict
from dataclasses import replace

from sync_core.api import addresses
from sync_core.api.callers import Caller
from sync_core.audit.exports import Export
from sync_core.foundation.errors import SyncError
from sync_core.organizations import people

MOST = 500  # at once; the oldest goes

_kept: OrderedDict[tuple[str, str], tuple[str, Export]] = OrderedDict()
_changing = threading.Lock()


def keep(export: Export, place: str) -> str:
    """Keep a file, instead of the one before it in this place of a page; returns its address."""
    organization, person = export.askers[0]
    name = secrets.token_urlsafe(16)
    with _changing:
        _kept.pop((person.email, place), None)
        _kept[person.email, place] = (name, export)
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return addresses.of_prepared(name, organization.slug)


def take(caller: Caller, name: str) -> Export:
    """Return a kept file for those who are, in each organization of it, who it was prepared for.

    Raises SyncError: unknown_file, no_permission.
    """
    with _changing:
        found = next((file for known, file in _kept.values() if known == name), None)
    if found is None:
        raise SyncError("unknown_file")
    askers = []
    for organization, person in found.askers:
        seat = caller.seats.get(organization.slug)
        if seat is None or people.require(seat[1], "export") != person:
            raise SyncError("unknown_file")
        askers.append(seat)
    return replace(found, askers=askers)
