"""What may be dropped of the trail: old values, never facts, counts or links."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.organizations import Organization


def drop_values(connection: Connection, organization: Organization, before: datetime) -> int:
    """Drop the values in the outcomes of runs that ended before; returns how many outcomes.

    Their facts and counts stay, and a hash in place of the values, so that all other hashes still
    hold. The chain stays whole where that is recorded as an action in the same transaction.
    """
    old = sa.text(
        "update outcomes o set name = null, changes = null, issues = null, raw = null,"
        " values_hash = hash_of_text(text_of_values(o.name, o.changes, o.issues, o.raw))"
        " from runs r where r.id = o.run_id and r.organization_id = :org"
        " and r.finished_at < :before and o.at < :before"
        " and num_nonnulls(o.name, o.changes, o.issues, o.raw) > 0"
    )
    return connection.execute(old, {"org": organization.id, "before": before}).rowcount
