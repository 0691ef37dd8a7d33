"""What is hidden of rows from those who may not see personal data."""

from collections.abc import Mapping
from typing import Any

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity
from sync_core.organizations.people import Person

MASK = "***"  # stands for whatever a hidden cell holds; a blank one stays blank


def hidden(entity: Entity, person: Person | None) -> tuple[Field, ...]:
    """Return the fields of which the person may see nothing; nobody sees no sensitive one."""
    if person and person.may("personal"):
        return ()
    return tuple(field for field in entity.fields if field.sensitive)


def name(entity: Entity, person: Person | None, value: str | None) -> str | None:
    """Hide what a row is called, where that is a hidden field's value."""
    labels = {field.label for field in hidden(entity, person)}
    return MASK if value and entity.named_by in labels else value


def changes(
    entity: Entity, person: Person | None, found: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """Hide before and after of hidden fields, or their values in a whole removed row."""
    columns = {field.column for field in hidden(entity, person)}
    if not found or not columns & found.keys():
        return found
    return {
        column: _masked(value) if column in columns else value for column, value in found.items()
    }


def _masked(value: object) -> object:
    if isinstance(value, list):  # before and after: that they differ is no secret
        return [_masked(part) for part in value]
    return None if value is None else MASK
