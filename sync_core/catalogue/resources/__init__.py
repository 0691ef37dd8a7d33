"""The catalogue: every resource that can be kept in step."""

from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources.admins import ADMINS
from sync_core.catalogue.resources.locations import LOCATIONS
from sync_core.catalogue.resources.patients import PATIENTS
from sync_core.catalogue.resources.services import SERVICES
from sync_core.catalogue.resources.therapists import THERAPISTS
from sync_core.catalogue.target import target
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Limits

CATALOGUE: dict[str, Resource] = {
    resource.name: resource for resource in (THERAPISTS, LOCATIONS, ADMINS, SERVICES, PATIENTS)
}

ENTITIES: dict[str, Entity] = {
    entity.name: entity for resource in CATALOGUE.values() for entity in resource.entities
}

for _entity in ENTITIES.values():
    target(_entity)


def entity(resource: Resource, name: str) -> Entity:
    """Return an entity of the resource. Raises SyncError("unknown_entity")."""
    for found in resource.entities:
        if found.name == name:
            return found
    known = ", ".join(found.name for found in resource.entities)
    raise SyncError("unknown_entity", resource=resource.name, entity=name, known=known)


def time_limits(given: Limits) -> Limits:
    """Return the time limits of runs: those that resources declare, unless the settings say."""
    declared = {found.name: found.time_limit for found in CATALOGUE.values() if found.time_limit}
    return Limits(given.usual, declared | dict(given.special))


def by_name(name: str) -> Resource:
    """Return a resource of the catalogue. Raises SyncError("unknown_resource")."""
    if name not in CATALOGUE:
        raise SyncError("unknown_resource", resource=name, known=", ".join(CATALOGUE))
    return CATALOGUE[name]
