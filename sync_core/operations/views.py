"""What people save for themselves: a page as they have filtered and sorted it."""

from collections.abc import Mapping, Sequence

from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, actions, people, saved_views
from sync_core.organizations.actions import SetPreferences
from sync_core.organizations.people import Person
from sync_core.organizations.saved_views import SavedView

LONGEST_NAME = 60  # characters
LONGEST_ADDRESS = 4_000
MOST = 50  # of a person and page


def save(
    organization: Organization,
    by: Person,
    page: str,
    name: str,
    address: Mapping[str, Sequence[str]],
) -> None:
    """Save a page's address under a name. Raises SyncError: no_permission, bad_view."""
    by = people.require(by, "read")
    with db.within(organization.id) as connection:
        known = {one.name for one in saved_views.of_person(connection, organization.id, by, page)}
        if (
            not 0 < len(name) <= LONGEST_NAME
            or "\x00" in name
            or len(repr(address)) > LONGEST_ADDRESS
        ):
            raise SyncError("bad_view", limit=LONGEST_NAME)
        if name not in known and len(known) >= MOST:
            raise SyncError("too_many_views", limit=MOST)
        view = SavedView(name, address)
        saved_views.put(connection, organization.id, by, page, view)
        _record(connection, organization, by, f"their views of {page}: saved {name}")


def forget(organization: Organization, by: Person, page: str, name: str) -> None:
    """Remove a view that one has saved. Raises SyncError("no_permission")."""
    by = people.require(by, "read")
    with db.within(organization.id) as connection:
        saved_views.remove(connection, organization.id, by, page, name)
        _record(connection, organization, by, f"their views of {page}: removed {name}")


def _record(connection: db.Connection, organization: Organization, by: Person, what: str) -> None:
    actions.record(connection, organization.id, by, SetPreferences(what))
