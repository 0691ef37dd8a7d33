"""What an organization decides of a resource: how fresh, what removal means, what is suspicious."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import tables
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import GuardKind, Removal
from sync_core.organizations import Organization


@dataclass(frozen=True)
class Threshold:
    """How much is suspicious: more rows than that, and a larger share of all than that."""

    rows: int
    percent: int

    def __str__(self) -> str:
        return f"above {count(self.rows, 'row')} and {self.percent}%"

    def passed_by(self, rows: int, of: int) -> bool:
        """Return whether so many rows out of so many are suspicious."""
        return rows > self.rows and rows * 100 > self.percent * of


@dataclass(frozen=True)
class Guards:
    """The thresholds past which a plan waits for a person; None, or False, switches one off."""

    empty_source: bool = True
    removals: Threshold | None = Threshold(10, 10)  # of the records that are known
    creations: Threshold | None = Threshold(100, 50)  # beside those that are known
    failures: Threshold | None = Threshold(10, 20)  # of the rows read
    updates: Threshold | None = Threshold(100, 50)  # of the records that are known
    fewer_rows: Threshold | None = Threshold(10, 50)  # than the last sync read
    blank_column: Threshold | None = Threshold(10, 50)  # of the records that had a value
    new_keys: Threshold | None = Threshold(10, 90)  # of the rows, and of the records at once
    other_source: bool = True

    def threshold(self, kind: GuardKind) -> Threshold | None:
        """Return the threshold of one of those that have any."""
        found: Threshold | None = getattr(self, kind)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return them as they are stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was stored; a guard of a later version than it is as by default."""
        known: dict[str, Any] = {f.name: kept[f.name] for f in fields(cls) if f.name in kept}
        numbers = {name: Threshold(**one) for name, one in known.items() if isinstance(one, dict)}
        return cls(**{**known, **numbers})

    def differences(self) -> Iterator[str]:
        """Tell in words what is not as by default."""
        for kind in GuardKind:
            chosen = getattr(self, kind)
            if chosen != getattr(Guards(), kind):
                words = {None: "off", False: "off", True: "on"}.get(chosen, str(chosen))
                yield f"{kind.replace('_', ' ')} {words}"


@dataclass(frozen=True)
class Policy:
    """The decisions for one resource."""

    fresh_hours: int = 24  # after which its data count as old
    removal: Removal | None = None  # None: as each of its tables says by itself
    limit_minutes: int | None = None  # after which a run is timed out; None: as the settings say
    guards: Guards = field(default_factory=Guards)


def of(connection: Connection, organization_id: int) -> Mapping[str, Policy]:
    """Read the policy of every resource of the catalogue."""
    kept = tables.policies.c
    rows = connection.execute(
        sa.select(
            kept.resource, kept.fresh_hours, kept.removal, kept.limit_minutes, kept.guards
        ).where(kept.organization_id == organization_id)
    )
    decided = {
        name: Policy(
            hours, Removal(removal) if removal else None, minutes, Guards.from_json(guards)
        )
        for name, hours, removal, minutes, guards in rows
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
