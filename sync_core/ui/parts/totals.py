"""How many rows an entity holds: counted once after each run, for only a run changes them."""

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity
from sync_core.foundation import db
from sync_core.records import rows
from sync_core.runs import Run

Version = tuple[int, str] | None


def version(run: Run | None) -> Version:
    """Return what changes with each run of a resource, and so with the rows of its tables."""
    return (run.id, run.status) if run else None


def total(organization_id: int, entity: Entity, since: Version) -> int:
    """Count the rows of the organization."""
    return _total(organization_id, entity.name, since)


@st.cache_resource(ttl=600, max_entries=2_000, show_spinner=False)
def _total(organization_id: int, entity: str, since: Version) -> int:  # noqa: ARG001 - the key of the cache
    with db.within(organization_id) as connection:
        return rows.count(connection, organization_id, resources.ENTITIES[entity])
