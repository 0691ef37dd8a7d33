"""What an organization decides for a resource: how fresh, what removal means, how long a run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import tables
from sync_core.foundation.vocabulary import Removal
from sync_core.organizations import Organization


@dataclass(frozen=True)
class Policy:
    """The decisions for one resource."""

    fresh_hours: int = 24  # after which its data count as old
    removal: Removal | None = None  # None: as each of its tables says by itself
    limit_minutes: int | None = None  # after which a run is timed out; None: as the settings say


def of(connection: Connection, organization_id: int) -> Mapping[str, Policy]:
    """Read the policy of every resource of the catalogue."""
    kept = tables.policies.c
    rows = connection.execute(
        sa.select(kept.resource, kept.fresh_hours, kept.removal, kept.limit_minutes).where(
            kept.organization_id == organization_id
        )
    )
    decided = {
        name: Policy(hours, Removal(removal) if removal else None, minutes)
        for name, hours, removal, minutes in rows
    }
    return {name: decided.get(name, Policy()) for name in resources.CATALOGUE}


def put(connection: Connection, organization: Organization, name: str, policy: Policy) -> None:
    """Keep the policy of a resource; the one before is replaced."""
    values = asdict(policy)
    connection.execute(
        insert(tables.policies)
        .values(organization_id=organization.id, resource=name, **values)
        .on_conflict_do_update(index_elements=["organization_id", "resource"], set_=values)
    )


def applied(resource: Resource, policy: Policy) -> Resource:
    """Return the resource as the policy wants it."""
    if policy.removal is None:
        return resource
    changed = (replace(entity, removal=policy.removal) for entity in resource.entities)
    return replace(resource, entities=tuple(changed))
