"""Tokens for programs: made and revoked by administrators; each change is an action."""

from collections.abc import Collection

from sync_core.foundation import db, names
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import Organization, actions, people, tokens
from sync_core.organizations.actions import ChangedSetting
from sync_core.organizations.people import Permission, Person

LONGEST = 3_660  # days


def add(
    organization: Organization,
    by: Person,
    name: str,
    role: Role,
    days: int | None = None,
    permissions: Collection[Permission] = (),
) -> str:
    """Make a token; returns its secret, which cannot be shown again.

    It asks in the name of whoever makes it, with a role of its own, or only some `permissions` of
    it, and ends after so many `days`. Raises SyncError: no_permission, blank_name, bad_days,
    beyond_role, token_exists.
    """
    by = people.require(by, "administer")
    plain = names.plain(name)
    if days is not None and not 1 <= days <= LONGEST:
        raise SyncError("bad_days", longest=f"{LONGEST:,}")
    for permission in permissions:
        if permission not in people.MAY[role]:
            raise SyncError("beyond_role", role=role, doing=people.WORDS[permission])
    with db.within(organization.id) as connection:
        secret = tokens.add(connection, organization.id, by, plain, role, days, permissions)
        lasts = f"for {days} days" if days else "until it is revoked"
        some = f" with only {', '.join(sorted(permissions))}" if permissions else ""
        what = ChangedSetting(f"the tokens: added {plain} as {role}{some}, {lasts}")
        actions.record(connection, organization.id, by, what)
    return secret


def revoke(organization: Organization, by: Person, name: str) -> None:
    """Let a token count no more, from now on. Raises SyncError: no_permission, unknown_token."""
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        tokens.revoke(connection, organization.id, name)
        what = ChangedSetting(f"the tokens: revoked {name}")
        actions.record(connection, organization.id, by, what)
