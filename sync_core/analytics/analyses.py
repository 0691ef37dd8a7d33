"""The analyses of single resources, by the name that a resource declares."""

from sync_core.analytics import patients
from sync_core.analytics.resource_analysis import Group, ResourceAnalysis
from sync_core.catalogue.resource import Resource
from sync_core.organizations.people import Person
from sync_core.records import privacy

ANALYSES: dict[str, ResourceAnalysis] = {"active_patients": patients.ANALYSIS}


def group(resource: Resource, name: str, person: Person) -> Group | None:
    """Return a group of the resource's records, where there is one that the person may see."""
    analysis = of(resource)
    found = analysis.groups.get(name) if analysis else None
    return found if found and (not found.personal or privacy.permits([person])) else None


def of(resource: Resource) -> ResourceAnalysis | None:
    """Return the analysis of a resource, where it declares one."""
    return ANALYSES[resource.analysis] if resource.analysis else None
