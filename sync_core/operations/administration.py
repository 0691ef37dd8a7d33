"""What an administrator changes: settings, people, old values; each change is an action."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations, sources
from sync_core.audit import retention
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db, email_address, names, tables
from sync_core.foundation.counting import count
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import GuardKind, Role
from sync_core.organizations import (
    Organization,
    actions,
    allowed_sources,
    people,
    policies,
    retentions,
    saved_views,
    source_settings,
    tokens,
)
from sync_core.organizations.actions import ChangedPeople, ChangedSetting, DroppedValues
from sync_core.organizations.people import Person
from sync_core.organizations.policies import Policy, Threshold
from sync_core.sources import SourceSetting, source_name

LONGEST = 1_440  # minutes: a day
LONGEST_KEPT = 36_500  # days


def set_source(
    organization: Organization,
    by: Person,
    resource: Resource,
    words: str,
    *,
    tab: str | None = None,
    locale: str | None = None,
    header_row: int | None = None,
) -> list[SourceSetting]:
    """Set the sources that the words name; see `source_settings.parse`. Raises SyncError.

    What the shell of the machine sets is allowed by that; see `allowed_sources`.
    """
    by = people.require(by, "administer")
    found = source_settings.parse(organization, resource, words, tab, locale, header_row)
    with db.within(organization.id) as connection:
        if by.is_operator:
            allowed_sources.allow(connection, organization, found)
        allowed_sources.require(connection, organization, found)
        source_settings.save(connection, organization, found)
        for setting in found:
            row = f", header in row {setting.header_row}" if setting.header_row else ""
            what = f"the source of {setting.entity} to {source_name(setting)}{row}"
            _record(connection, organization, by, what, resource.name)
    return found


def allow_source(organization: Organization, by: Person, words: str) -> str:
    """Let an organization read a sheet, or Cliniko with the key that is set for its short name.

    Returns the name of the source. Raises SyncError: not_operator, bad_location.
    """
    people.require_operator(by)
    location = sources.parse_shared(words)
    with db.within(organization.id) as connection:
        allowed_sources.allow(connection, organization, [location])
        name = sources.location_name(location)
        _record(connection, organization, by, f"the allowed sources: added {name}")
    return name


def forbid_source(organization: Organization, by: Person, words: str) -> str:
    """Let an organization read such a source no longer; returns its name.

    Raises SyncError: not_operator, bad_location, source_not_allowed.
    """
    people.require_operator(by)
    location = sources.parse_shared(words)
    name = sources.location_name(location)
    with db.within(organization.id) as connection:
        if not allowed_sources.forbid(connection, organization, location):
            raise SyncError("source_not_allowed", source=name, organization=organization.name)
        _record(connection, organization, by, f"the allowed sources: removed {name}")
    return name


def set_policy(organization: Organization, by: Person, resource: Resource, policy: Policy) -> None:
    """Decide how fresh a resource shall be, what becomes of removed rows, what is suspicious.

    Raises SyncError: no_permission, too_fresh, bad_time_limit, bad_threshold.
    """
    by = people.require(by, "administer")
    _refuse_mistakes_of_policy(policy)
    with db.within(organization.id) as connection:
        policies.put(connection, organization, resource.name, policy)
        removal = policy.removal or "as declared"
        limit = f"{policy.limit_minutes} min" if policy.limit_minutes else "as usual"
        what = f"fresh for {policy.fresh_hours} h, removed rows: {removal}, time limit: {limit}"
        if guards := ", ".join(policy.guards.differences()):
            what += f", guards: {guards}"
        _record(connection, organization, by, f"{resource.name}: {what}", resource.name)


def _refuse_mistakes_of_policy(policy: Policy) -> None:
    if policy.fresh_hours < 1:
        raise SyncError("too_fresh")
    if policy.limit_minutes is not None and not 1 <= policy.limit_minutes <= LONGEST:
        raise SyncError("bad_time_limit", longest=f"{LONGEST:,}")
    thresholds = (getattr(policy.guards, kind) for kind in GuardKind)
    for threshold in thresholds:
        if isinstance(threshold, Threshold) and not (
            threshold.rows >= 0 and 0 <= threshold.percent <= 100  # noqa: PLR2004 - percent
        ):
            raise SyncError("bad_threshold")


def set_four_eyes(organization: Organization, by: Person, *, required: bool) -> Organization:
    """Decide whether suspicious syncs are approved by somebody else than who asked for them.

    Raises SyncError("no_permission").
    """
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        organizations.set_four_eyes(connection, organization, required=required)
        who = (
            "somebody else than the person who asked"
            if required
            else "an administrator or somebody else"
        )
        _record(connection, organization, by, f"who approves suspicious syncs: {who}")
        return organizations.by_id(connection, organization.id)


def put_person(organization: Organization, by: Person, person: Person) -> None:
    """Offer somebody a place, or change the person with this address; a new role ends sign-ins.

    Raises SyncError: no_permission, blank_name, bad_address, unknown_role, last_admin.
    """
    by = people.require(by, "administer")
    _refuse_mistakes_about(person)
    with db.within(organization.id) as connection:
        _lock(connection, organization)
        if person.role != Role.ADMIN:
            _keep_an_admin(connection, organization, person.email)
        was = _known(connection, organization, person.email)
        member = people.find(connection, organization.id, person.email)
        people.offer(connection, organization.id, person)
        if member and member.role != person.role:
            people.end_sign_ins(connection, organization.id, person.email)
        now = _known(connection, organization, person.email) or person
        what = _changes(was, now) if was else _invitation(now)
        if person.role != Role.ADMIN:
            what += _without_tokens(connection, organization, person.email)
        actions.record(connection, organization.id, by, ChangedPeople(what, now.email))


def remove_person(organization: Organization, by: Person, email: str) -> None:
    """Take a person out of the organization. Raises SyncError: no_permission, last_admin."""
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        _lock(connection, organization)
        _keep_an_admin(connection, organization, email)
        was = _known(connection, organization, email)
        if was and people.remove(connection, organization.id, email):
            saved_views.remove_all(connection, organization.id, email)
            revoked = _without_tokens(connection, organization, email)
            what = ChangedPeople(f"removed {was.name}{revoked}", was.email)
            actions.record(connection, organization.id, by, what)


def let_account_in(organization: Organization, by: Person, email: str) -> None:
    """Let a person sign in with another account of their sign-in service, or by another service.

    The next one with their verified address is theirs. Raises SyncError: no_permission,
    unknown_person.
    """
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        known = _known(connection, organization, email)
        if not known or not people.forget_account(connection, organization.id, email):
            raise SyncError("unknown_person", email=email, organization=organization.name)
        what = ChangedPeople(f"let another account of {known.name} in", known.email)
        actions.record(connection, organization.id, by, what)


def add_organization(
    by: Person, slug: str, name: str, country: str, time_zone: str
) -> Organization:
    """Add an organization, in which nobody is yet.

    Where it is not the only one, each reads from now on only what it is allowed; that counts for a
    key that waits for its short name, too. Raises SyncError: not_operator, or what is wrong.
    """
    people.require_operator(by)
    with db.everywhere() as connection:
        added = organizations.add(connection, slug, name, country, time_zone)
        if len(organizations.everyone(connection)) > 1:
            allowed_sources.begin(connection)
        _record(connection, added, by, f"the organizations: added {added.name}")
    return added


def drop_values(organization: Organization, by: Person, before: datetime) -> int:
    """Drop the values in the outcomes of runs that ended before; returns how many outcomes.

    Their facts, counts and digests stay, and the audit's chain stays whole. Raises no_permission.
    """
    by = people.require(by, "administer")
    with db.within(organization.id) as connection:
        dropped = retention.drop_values(connection, organization, before)
        actions.record(connection, organization.id, by, DroppedValues(before, dropped))
    return dropped


def set_retention(organization: Organization, by: Person, days: int | None) -> None:
    """Drop values that are older than so many days, each night; None: keep them for ever.

    Raises SyncError: no_permission, bad_retention.
    """
    by = people.require(by, "administer")
    if days is not None and not 1 <= days <= LONGEST_KEPT:
        raise SyncError("bad_retention", longest=f"{LONGEST_KEPT:,}")
    with db.within(organization.id) as connection:
        retentions.put(connection, organization, days, datetime.now(UTC))
        until = f"for {count(days, 'day')}" if days else "forever"
        _record(connection, organization, by, f"how long old values are kept: {until}")


def _without_tokens(connection: Connection, organization: Organization, email: str) -> str:
    """Revoke the tokens of who is no administrator any more; returns which, in words."""
    revoked = tokens.revoke_of(connection, organization.id, email)
    return f"; revoked their tokens: {', '.join(revoked)}" if revoked else ""


def _known(connection: Connection, organization: Organization, email: str) -> Person | None:
    """Return who has this address in the organization, or is invited to it."""
    address = email.strip().lower()
    everyone = people.everyone(connection, organization.id)
    return next((person for person in everyone if person.email == address), None)


def _invitation(person: Person) -> str:
    team = f", team {person.team}" if person.team else ""
    return f"invited {person.name} as {people.ONE[person.role]}{team}"


def _changes(was: Person, now: Person) -> str:
    """Return in words what is different about somebody."""
    changes = [
        f"{name} {new or 'none'}"
        for name, old, new in (
            ("name", was.name, now.name),
            ("now", people.ONE[was.role], people.ONE[now.role]),
            ("team", was.team, now.team),
        )
        if old != new
    ]
    return f"changed {was.name}: {', '.join(changes)}" if changes else f"saved {was.name} unchanged"


def _refuse_mistakes_about(person: Person) -> None:
    names.plain(person.name)
    if not email_address.is_valid(person.email.strip()):
        raise SyncError("bad_address", email=person.email)
    if person.role not in tuple(Role):
        raise SyncError("unknown_role", role=person.role, known=", ".join(Role))


def _lock(connection: Connection, organization: Organization) -> None:
    """Let one change of people follow the other, so that two cannot take the last two admins."""
    kept = tables.organizations
    connection.execute(sa.select(kept.c.id).where(kept.c.id == organization.id).with_for_update())


def _keep_an_admin(connection: Connection, organization: Organization, leaving: str) -> None:
    """Refuse to take the last administrator away. Raises SyncError("last_admin")."""
    if people.admins(connection, organization.id) == {leaving.strip().lower()}:
        raise SyncError("last_admin", organization=organization.name)


def _record(
    connection: Connection,
    organization: Organization,
    by: Person,
    what: str,
    resource: str | None = None,
) -> None:
    actions.record(connection, organization.id, by, ChangedSetting(what), resource=resource)
