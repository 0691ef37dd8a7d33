"""The names of records beside the codes that stand for them in other tables."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.catalogue import resources
from sync_core.catalogue.fields import Field
from sync_core.catalogue.target import target
from sync_core.organizations.people import Person
from sync_core.records import privacy
from sync_core.records.privacy import Place


def of_codes(
    connection: Connection,
    organization_id: int,
    field: Field,
    codes: Collection[str],
    person: Person | None = None,
) -> Mapping[str, str]:
    """Return the names of those of the codes that stand for a record, also of one that is gone.

    Nothing where the person may not see them.
    """
    entity = resources.ENTITIES.get(field.named_in or "")
    if entity is None or not codes or len(entity.keys) > 1:
        return {}
    named = next((f for f in entity.fields if f.label == entity.named_by), None)
    if named is None or not privacy.may_be_named(
        entity, privacy.hidden(entity, Place.PAGE, person)
    ):
        return {}
    table = target(entity)
    code, name = table.c[entity.keys[0].column], table.c[named.column]
    ours = (table.c.organization_id == organization_id, code.in_(codes), name.is_not(None))
    return {
        one.code: one.name
        for one in connection.execute(
            sa.select(code.label("code"), name.label("name")).where(*ours)
        )
    }
