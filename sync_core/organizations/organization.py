"""Whose data it is: every run, row and setting belongs to an organization."""

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

import sqlalchemy as sa
from phonenumbers import SUPPORTED_REGIONS
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.foundation import names, tables
from sync_core.foundation.errors import SyncError

DEFAULT = "demo"


@dataclass(frozen=True)
class Organization:
    """A group of clinics; its country is that of its phones, its zone that of its people."""

    id: int
    slug: str
    name: str
    country: str
    time_zone: str
    four_eyes: bool = False  # nobody approves a suspicious sync for which they asked themselves


def get(connection: Connection, slug: str) -> Organization:
    """Read an organization. Raises SyncError("unknown_organization")."""
    found = _read(connection, tables.organizations.c.slug == slug)
    if not found:
        raise SyncError("unknown_organization", slug=slug)
    return found[0]


def by_id(connection: Connection, organization_id: int) -> Organization:
    """Read an organization by its number. Raises SyncError("unknown_organization")."""
    found = _read(connection, tables.organizations.c.id == organization_id)
    if not found:
        raise SyncError("unknown_organization", slug=organization_id)
    return found[0]


def everyone(connection: Connection) -> list[Organization]:
    """List all organizations, by name."""
    return _read(connection, sa.true())


def _read(connection: Connection, which: sa.ColumnElement[bool]) -> list[Organization]:
    kept = tables.organizations.c
    query = sa.select(*(kept[name] for name in Organization.__dataclass_fields__))
    rows = connection.execute(query.where(which).order_by(kept.name, kept.id))
    return [Organization(**row) for row in rows.mappings()]


def add(
    connection: Connection, slug: str, name: str, country: str = "AU", time_zone: str = "UTC"
) -> Organization:
    """Add an organization. Raises SyncError where a fact is wrong, or it exists."""
    name = names.plain(name)
    _refuse_mistakes(slug, country, time_zone)
    added = connection.execute(
        insert(tables.organizations)
        .values(slug=slug, name=name, country=country, time_zone=time_zone)
        .on_conflict_do_nothing()
        .returning(tables.organizations.c.id)
    ).scalar_one_or_none()
    if added is None:
        raise SyncError("organization_exists", slug=slug)
    return get(connection, slug)


def set_four_eyes(connection: Connection, organization: Organization, *, required: bool) -> None:
    """Decide whether a suspicious sync is approved by somebody else than who asked for it."""
    kept = tables.organizations
    connection.execute(
        sa.update(kept).where(kept.c.id == organization.id).values(four_eyes=required)
    )


def _refuse_mistakes(slug: str, country: str, time_zone: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", slug):
        raise SyncError("bad_slug", slug=slug)
    if country not in SUPPORTED_REGIONS:
        raise SyncError("unknown_country", country=country)
    if time_zone not in available_timezones():
        raise SyncError("unknown_time_zone", time_zone=time_zone)
