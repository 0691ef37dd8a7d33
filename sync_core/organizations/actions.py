"""Who did it: one row for each thing that a person asked for."""

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import tables
from sync_core.organizations.people import Person

Kind = Literal[
    "started",
    "cancelled",
    "exported",
    "changed a setting",
    "dropped old values",
    "signed in",
    "signed out",
]


def record(
    connection: Connection,
    organization_id: int,
    person: Person,
    kind: Kind,
    *,
    resource: str | None = None,
    run_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write the action down, in the transaction of the thing that was done."""
    connection.execute(
        sa.insert(tables.actions).values(
            organization_id=organization_id,
            name=person.name,
            email=person.email,
            team=person.team,
            kind=kind,
            resource=resource,
            run_id=run_id,
            detail=dict(detail or {}),
        )
    )
