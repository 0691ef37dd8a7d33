"""Which source an organization has set for each entity of a resource."""

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources import entity
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization
from sync_core.sources import CLINIKO, HELD_BY_CLINIKO, Place, parse_location


def get(connection: Connection, organization: Organization, resource: Resource) -> list[Place]:
    """Read the places of all entities, in order. Raises SyncError("no_source")."""
    kept = tables.sources.c
    rows = connection.execute(
        sa.select(kept.entity, kept.kind, kept.location, kept.tab, kept.locale).where(
            kept.organization_id == organization.id, kept.resource == resource.name
        )
    )
    found = {row["entity"]: dict(row) for row in rows.mappings()}
    missing = [entity.name for entity in resource.entities if entity.name not in found]
    if missing:
        what = resource.name if len(missing) == len(resource.entities) else ", ".join(missing)
        raise SyncError("no_source", resource=resource.name, what=what)
    return [
        Place(organization=organization.slug, resource=resource.name, **found[entity.name])
        for entity in resource.entities
    ]


def everyone(connection: Connection, organization: Organization) -> list[Place]:
    """List the places that the organization has set, by resource and entity."""
    kept = tables.sources.c
    rows = connection.execute(
        sa.select(kept.resource, kept.entity, kept.kind, kept.location, kept.tab, kept.locale)
        .where(kept.organization_id == organization.id)
        .order_by(kept.resource, kept.entity)
    )
    return [Place(organization=organization.slug, **row) for row in rows.mappings()]


def put(connection: Connection, organization: Organization, places: Sequence[Place]) -> None:
    """Set the places of entities; what was set for them before is replaced."""
    for place in places:
        values = {
            "kind": place.kind,
            "location": place.location,
            "tab": place.tab,
            "locale": place.locale,
            "set_at": sa.func.clock_timestamp(),
        }
        connection.execute(
            insert(tables.sources)
            .values(
                organization_id=organization.id,
                resource=place.resource,
                entity=place.entity,
                **values,
            )
            .on_conflict_do_update(
                index_elements=["organization_id", "resource", "entity"], set_=values
            )
        )


def said(
    organization: Organization,
    resource: Resource,
    words: str,
    tab: str | None,
    locale: str | None,
    cwd: Path,
) -> list[Place]:
    """Read `[ENTITY=]LOCATION` as a person gives it: the places of that entity, or of all.

    Raises SyncError: bad_location, unknown_entity, name_the_entity.
    """
    name, found, text = words.partition("=")
    if found and name.strip().isidentifier():
        entities: tuple[Entity, ...] = (entity(resource, name.strip()),)
    else:
        entities, text = resource.entities, words
    location = parse_location(text, cwd)
    if location.kind == "cliniko":
        _refuse_what_cliniko_has_not(entities)
    several = len(entities) > 1
    if several and (tab or location.kind == "csv"):
        known = " and ".join(f"{found.name}=..." for found in entities)
        raise SyncError("name_the_entity", resource=resource.name, known=known)
    return [
        Place(
            organization=organization.slug,
            resource=resource.name,
            entity=found.name,
            kind=location.kind,
            location=location.location,
            tab=tab or (None if several else location.tab),
            locale=_checked(locale),
        )
        for found in entities
    ]


def _refuse_what_cliniko_has_not(entities: Sequence[Entity]) -> None:
    for found in entities:
        if found.name not in HELD_BY_CLINIKO:
            why = f"Cliniko holds no {found.title.lower()}"
            raise SyncError("bad_location", text=CLINIKO, why=why)


def _checked(locale: str | None) -> str | None:
    """Refuse a locale that nobody knows, before it is kept."""
    try:
        return locale and Convention(locale=locale).locale
    except ValueError as error:
        raise SyncError("bad_locale", text=locale) from error
