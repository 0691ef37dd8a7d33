"""What may be dropped of the trail: old values, never facts, counts or links."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db, tables
from sync_core.organizations import Organization, actions, people
from sync_core.organizations.people import Person

DROPPED: actions.Kind = "dropped old values"


def drop_values(organization: Organization, by: Person, before: datetime) -> int:
    """Drop the values in the outcomes of runs that ended before; returns how many outcomes.

    Their facts, counts and digests stay, and the chain stays whole. Raises no_permission.
    """
    people.require(by, "administer")
    old = sa.text(
        "update outcomes o set name = null, changes = null, issues = null, raw = null"
        " from runs r where r.id = o.run_id and r.organization_id = :org"
        " and r.finished_at < :before and o.at < :before"
        " and num_nonnulls(o.name, o.changes, o.issues, o.raw) > 0"
    )
    with db.begin() as connection:
        dropped = connection.execute(old, {"org": organization.id, "before": before}).rowcount
        told = {"before": before.astimezone(UTC).isoformat(), "outcomes": dropped}
        actions.record(connection, organization.id, by, DROPPED, detail=told)
    return dropped


def _whole_since(connection: Connection, organization: Organization) -> datetime:
    """Return since when the values of outcomes have not been dropped."""
    done = tables.actions.c
    dropped = connection.execute(
        sa.select(done.detail["before"].as_string()).where(
            done.organization_id == organization.id, done.kind == DROPPED
        )
    ).scalars()
    never = datetime.min.replace(tzinfo=UTC)
    return max((datetime.fromisoformat(at) for at in dropped), default=never)
