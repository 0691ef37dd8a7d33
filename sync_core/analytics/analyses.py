"""The analyses of single resources, by the name that a resource declares."""

from sync_core.analytics import patients
from sync_core.analytics.resource_analysis import ResourceAnalysis
from sync_core.catalogue.resource import Resource

ANALYSES: dict[str, ResourceAnalysis] = {"active_patients": patients.ANALYSIS}


def of(resource: Resource) -> ResourceAnalysis | None:
    """Return the analysis of a resource, where it declares one."""
    return ANALYSES[resource.analysis] if resource.analysis else None
