"""Which sheets and accounts an organization may read, where several share one installation.

One account of Google reads the sheets of all, so whoever knows a sheet's id could set it as a
source; and a key of Cliniko is set for a short name, which an organization may take that comes
later. So where there are several, the shell of the machine says which source is whose.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core import sources
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings, cliniko_variable
from sync_core.organizations.organization import Organization, everyone
from sync_core.sources import Location, SourceSetting
from sync_core.sources.kinds import KINDS
from sync_core.sources.kinds.cliniko import CLINIKO

_ALLOWED = tables.allowed_sources.c
_ORGANIZATIONS = tables.organizations.c
_KINDS = [kind.name for kind in KINDS.values() if kind.shared]


def begin(connection: Connection) -> None:
    """Let every organization read only what it is allowed; what is set so far is allowed."""
    begun = connection.execute(
        sa.update(tables.organizations)
        .where(~_ORGANIZATIONS.only_allowed)
        .values(only_allowed=True)
        .returning(_ORGANIZATIONS.id)
    ).scalars()
    kept = tables.sources.c
    set_so_far = sa.select(kept.organization_id, kept.kind, kept.location).where(
        kept.kind.in_(_KINDS), kept.organization_id.in_(list(begun))
    )
    columns = ["organization_id", "kind", "location"]
    connection.execute(
        insert(tables.allowed_sources).from_select(columns, set_so_far).on_conflict_do_nothing()
    )


def allow(
    connection: Connection,
    organization: Organization,
    found: Sequence[SourceSetting | Location],
) -> None:
    """Let an organization read these sources, whatever others may."""
    rows = [
        {"organization_id": organization.id, "kind": one.kind, "location": one.location}
        for one in found
        if one.kind in _KINDS
    ]
    if rows:
        connection.execute(insert(tables.allowed_sources).values(rows).on_conflict_do_nothing())


def forbid(connection: Connection, organization: Organization, location: Location) -> bool:
    """Let an organization read a source no longer; returns whether it might."""
    mine = sa.and_(
        _ALLOWED.organization_id == organization.id,
        _ALLOWED.kind == location.kind,
        _ALLOWED.location == location.location,
    )
    return bool(connection.execute(sa.delete(tables.allowed_sources).where(mine)).rowcount)


def of(connection: Connection, organization: Organization) -> list[Location]:
    """Return the sources that an organization was allowed."""
    rows = connection.execute(
        sa.select(_ALLOWED.kind, _ALLOWED.location)
        .where(_ALLOWED.organization_id == organization.id)
        .order_by(_ALLOWED.kind, _ALLOWED.location)
    )
    return [Location(kind, location) for kind, location in rows]


def require(
    connection: Connection, organization: Organization, found: Sequence[SourceSetting]
) -> None:
    """Refuse sources that an organization may not read. Raises SyncError("source_not_allowed")."""
    shared = [setting for setting in found if setting.kind in _KINDS]
    if not shared or not _only_allowed(connection, organization):
        return
    allowed = {(one.kind, one.location) for one in of(connection, organization)}
    for setting in shared:
        if (setting.kind, setting.location) not in allowed:
            name = sources.source_name(setting)
            raise SyncError("source_not_allowed", source=name, organization=organization.name)


def _only_allowed(connection: Connection, organization: Organization) -> bool:
    query = sa.select(_ORGANIZATIONS.only_allowed)
    return bool(connection.execute(query.where(_ORGANIZATIONS.id == organization.id)).scalar_one())


def unused_keys(connection: Connection, found: Settings) -> list[str]:
    """Name in sentences for the shell the keys of Cliniko that no organization uses, and why."""
    known = {organization.slug: organization for organization in everyone(connection)}
    told = []
    for slug in sorted({*found.cliniko_keys, *found.cliniko_key_files}):
        variable = cliniko_variable(slug) + ("_FILE" if slug in found.cliniko_key_files else "")
        if slug not in known:
            told.append(f"{variable} is set for an organization that does not exist.")
        elif not _may_read_cliniko(connection, known[slug]):
            command = f"syncdesk source allow {CLINIKO.typed} --org {slug}"
            told.append(f"{variable} is not used until '{command}'.")
    return told


def _may_read_cliniko(connection: Connection, organization: Organization) -> bool:
    allowed = {one.kind for one in of(connection, organization)}
    return CLINIKO.name in allowed or not _only_allowed(connection, organization)
