"""Files of an organization: where they are, and what its audit says about them."""

from typing import Any

import httpx2
import sqlalchemy as sa

from sync_core.foundation import db, tables
from sync_core.organizations import Organization

ROWS = 60_000  # actions that `fill` makes up


def fill(organization: Organization) -> None:
    """Make up so many actions that they do not fit between server and reader."""
    with db.as_owner() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(
            sa.text(
                "insert into actions (organization_id, name, email, kind, detail)"
                " select :org, 'Ana', 'a@example.org', 'signed in',"
                " jsonb_build_object('padding', repeat('x', 200)) from generate_series(1, :rows)"
            ),
            {"org": organization.id, "rows": ROWS},
        )
        connection.execute(sa.text("analyze actions"))  # as Postgres does by itself, in its time


def trail_of(organization: Organization, **asked: object) -> str:
    """Return the address of the audit as a file, with filters."""
    return f"/audit.csv?{httpx2.QueryParams({'organizations': organization.slug, **asked})}"  # type: ignore[dict-item]


def manifests(organization: Organization) -> list[dict[str, Any]]:
    done = tables.actions.c
    which = (done.organization_id == organization.id, done.kind == "exported")
    with db.everywhere() as connection:
        query = sa.select(done.detail, done.email).where(*which).order_by(done.id)
        return [{**found.detail, "by": found.email} for found in connection.execute(query)]
