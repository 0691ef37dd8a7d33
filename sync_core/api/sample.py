"""The resource that stands in the examples of the API's description; its table has its name."""

from sync_core.catalogue.resources import CATALOGUE

RESOURCE = next(name for name, resource in CATALOGUE.items() if name == resource.main.name)
