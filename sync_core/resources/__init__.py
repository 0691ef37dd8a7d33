"""The catalogue: every resource that can be kept in step."""

from sync_core import tables
from sync_core.resource import Entity, Resource
from sync_core.resources.admins import ADMINS
from sync_core.resources.locations import LOCATIONS
from sync_core.resources.patients import PATIENTS
from sync_core.resources.services import SERVICES
from sync_core.resources.therapists import THERAPISTS

CATALOGUE: dict[str, Resource] = {
    resource.name: resource for resource in (THERAPISTS, LOCATIONS, ADMINS, SERVICES, PATIENTS)
}

ENTITIES: dict[str, Entity] = {
    entity.name: entity for resource in CATALOGUE.values() for entity in resource.entities
}

for _entity in ENTITIES.values():
    tables.target(_entity)
