"""The catalogue: every resource that can be kept in step."""

from sync_core.catalogue.resource import Entity, Resource
from sync_core.catalogue.resources.admins import ADMINS
from sync_core.catalogue.resources.locations import LOCATIONS
from sync_core.catalogue.resources.patients import PATIENTS
from sync_core.catalogue.resources.services import SERVICES
from sync_core.catalogue.resources.therapists import THERAPISTS
from sync_core.foundation import tables

CATALOGUE: dict[str, Resource] = {
    resource.name: resource for resource in (THERAPISTS, LOCATIONS, ADMINS, SERVICES, PATIENTS)
}

ENTITIES: dict[str, Entity] = {
    entity.name: entity for resource in CATALOGUE.values() for entity in resource.entities
}

for _entity in ENTITIES.values():
    tables.target(_entity)
