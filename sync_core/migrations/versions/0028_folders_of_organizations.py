"""Folders are named from the organization's own; those that are elsewhere stay, and fail."""

import os
from pathlib import Path

import sqlalchemy as sa
from alembic import op

from sync_core.foundation import settings

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

FOLDERS = sa.text(
    "select s.organization_id, s.resource, s.entity, s.location, o.slug from sources s"
    " join organizations o on o.id = s.organization_id where s.kind = 'folder'"
)
MOVE = sa.text(
    "update sources set location = :location where organization_id = :organization_id"
    " and resource = :resource and entity = :entity"
)


def upgrade() -> None:
    for row in op.get_bind().execute(FOLDERS).mappings().all():
        if location := _inside(row["location"], row["slug"]):
            op.get_bind().execute(MOVE, {**row, "location": location})


def downgrade() -> None:
    for row in op.get_bind().execute(FOLDERS).mappings().all():
        location = str(settings.current().folders / row["slug"] / row["location"])
        op.get_bind().execute(MOVE, {**row, "location": location})


def _inside(location: str, slug: str) -> str | None:
    found, path = settings.current(), Path(os.path.normpath(location))
    if slug == "demo" and path == found.data / "demo":  # made up anew by `syncdesk up`
        return "made-up"
    own = found.folders / slug
    return str(path.relative_to(own)) if path.is_relative_to(own) else None
