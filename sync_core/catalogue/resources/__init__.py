"""The catalogue: every resource that can be kept in step."""

from graphlib import TopologicalSorter

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


def of_entity(entity: Entity) -> Resource:
    """Return the resource to which an entity belongs."""
    return next(one for one in CATALOGUE.values() if entity in one.entities)


def time_limits(given: Limits) -> Limits:
    """Return the time limits of runs: those that resources declare, unless the settings say."""
    declared = {found.name: found.time_limit for found in CATALOGUE.values() if found.time_limit}
    return Limits(given.usual, declared | dict(given.special))


def references(name: str) -> frozenset[str]:
    """Return the other resources to which the rows of a resource refer."""
    fields = (field for entity in CATALOGUE[name].entities for field in entity.fields)
    referred = {field.refers_to for field in fields if field.refers_to}
    return frozenset(
        other.name
        for other in CATALOGUE.values()
        if other.name != name and referred & {entity.name for entity in other.entities}
    )


def in_order() -> list[str]:
    """Return the names of all resources, each after those to which it refers."""
    return list(TopologicalSorter({name: references(name) for name in CATALOGUE}).static_order())


def by_name(name: str) -> Resource:
    """Return a resource of the catalogue. Raises SyncError("unknown_resource")."""
    if name not in CATALOGUE:
        raise SyncError("unknown_resource", resource=name, known=", ".join(CATALOGUE))
    return CATALOGUE[name]
