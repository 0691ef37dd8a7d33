"""Which source an organization has set for each entity of a resource."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core import sources
from sync_core.catalogue.fields import Convention
from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources import entity
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization
from sync_core.sources import SourceSetting

LAST_HEADER_ROW = 1_000


def read(
    connection: Connection, organization: Organization, resource: Resource
) -> list[SourceSetting]:
    """Return the settings of all entities, in order. Raises SyncError("no_source")."""
    kept = tables.sources.c
    rows = connection.execute(
        sa.select(kept.entity, *_set()).where(
            kept.organization_id == organization.id, kept.resource == resource.name
        )
    )
    found = {row["entity"]: dict(row) for row in rows.mappings()}
    missing = [entity.name for entity in resource.entities if entity.name not in found]
    if missing:
        what = resource.name if len(missing) == len(resource.entities) else ", ".join(missing)
        raise SyncError("no_source", resource=resource.name, what=what)
    return [
        SourceSetting(organization=organization.slug, resource=resource.name, **found[entity.name])
        for entity in resource.entities
    ]


def read_all(connection: Connection, organization: Organization) -> list[SourceSetting]:
    """Return all settings of the organization, by resource and entity."""
    kept = tables.sources.c
    rows = connection.execute(
        sa.select(kept.resource, kept.entity, *_set())
        .where(kept.organization_id == organization.id)
        .order_by(kept.resource, kept.entity)
    )
    return [SourceSetting(organization=organization.slug, **row) for row in rows.mappings()]


def _set() -> list[sa.ColumnElement[object]]:
    """Return the columns of what people set."""
    kept = tables.sources.c
    return [kept.kind, kept.location, kept.tab, kept.locale, kept.header_row]


def save(
    connection: Connection, organization: Organization, settings: Sequence[SourceSetting]
) -> None:
    """Save the settings of entities; those from before are replaced."""
    for setting in settings:
        values = {
            "kind": setting.kind,
            "location": setting.location,
            "tab": setting.tab,
            "locale": setting.locale,
            "header_row": setting.header_row,
            "set_at": sa.func.clock_timestamp(),
        }
        connection.execute(
            insert(tables.sources)
            .values(
                organization_id=organization.id,
                resource=setting.resource,
                entity=setting.entity,
                **values,
            )
            .on_conflict_do_update(
                index_elements=["organization_id", "resource", "entity"], set_=values
            )
        )


def parse(
    organization: Organization,
    resource: Resource,
    words: str,
    tab: str | None,
    locale: str | None,
    header_row: int | None = None,
) -> list[SourceSetting]:
    """Return the settings that `[ENTITY=]LOCATION` means: of that entity, or of all.

    Raises SyncError: bad_location, bad_locale, bad_header_row, unknown_entity, name_the_entity.
    """
    name, found, text = words.partition("=")
    if found and name.strip().isidentifier():
        entities: tuple[Entity, ...] = (entity(resource, name.strip()),)
    else:
        entities, text = resource.entities, words
    location = sources.parse_location(text)
    sources.require_holds(location, resource, entities)
    several = len(entities) > 1
    if several and (tab or sources.kind_of(location).one_table):
        known = " or ".join(found.name for found in entities)
        raise SyncError("name_the_entity", resource=resource.name, known=known)
    return [
        SourceSetting(
            organization=organization.slug,
            resource=resource.name,
            entity=found.name,
            kind=location.kind,
            location=location.location,
            tab=tab or (None if several else location.tab),
            locale=known_locale(locale),
            header_row=_possible(header_row),
        )
        for found in entities
    ]


def _possible(header_row: int | None) -> int | None:
    if header_row is not None and not 1 <= header_row <= LAST_HEADER_ROW:
        raise SyncError("bad_header_row", last=f"{LAST_HEADER_ROW:,}")
    return header_row


def known_locale(locale: str | None) -> str | None:
    """Return the locale as it is kept. Raises SyncError("bad_locale") for one that is not known."""
    try:
        return locale and Convention(locale=locale).locale
    except ValueError as error:
        raise SyncError("bad_locale", text=locale) from error
