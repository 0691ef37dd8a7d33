"""The target table of an entity."""

import sqlalchemy as sa

from sync_core.catalogue.resource import Entity
from sync_core.foundation.tables import metadata, moment

STORAGE = {"fillfactor": 90}  # so that an updated row stays on its page, and in the index as it is


def target(entity: Entity) -> sa.Table:
    """Describe the table of an entity: its fields' columns, and ours, which begin with `_`.

    A label in snake case never begins with `_`, so no label can meet a column of ours.
    """
    known = metadata.tables.get(entity.name)
    return known if known is not None else _target(entity)


def _target(entity: Entity) -> sa.Table:
    unique = (
        sa.UniqueConstraint("organization_id", f.column, deferrable=True, initially="DEFERRED")
        for f in entity.fields
        if f.unique
    )
    columns = {f.label: f.column for f in entity.fields}
    lookups = (
        sa.Index(None, "organization_id", *(columns[label] for label in labels))
        for labels in entity.lookups
    )
    return sa.Table(
        entity.name,
        metadata,
        sa.Column("organization_id", sa.BigInteger),  # we give it: not checked a row
        *(sa.Column(f.column, f.sql_type, nullable=not f.key) for f in entity.fields),
        sa.PrimaryKeyConstraint(
            "organization_id", *(f.column for f in entity.keys), name=entity.key_name
        ),
        moment("_created_at", default=True),
        moment("_updated_at"),
        moment("_removed_at"),
        *unique,
        *lookups,
        postgresql_with=STORAGE,
    )
