"""The header row: found by the labels of an entity, and which of its cells names which field."""

from collections.abc import Sequence

from sync_core.catalogue.fields import Field
from sync_core.catalogue.fields.cells import plain
from sync_core.catalogue.resource import Entity

LOOKED_AT = 20  # rows of a sheet among which its header is looked for


def tidied(header: str) -> str:
    """Return a header with every run of blanks as one space, without what nobody sees."""
    return " ".join(plain(header).split())


def columns_of(field: Field, headers: Sequence[str]) -> list[int]:
    """Return the columns that carry the field's label, or else one of its aliases."""
    for names in ((field.label,), field.aliases):
        known = {name.casefold() for name in names}
        if found := [i for i, header in enumerate(headers) if header.casefold() in known]:
            return found
    return []


def known(row: Sequence[str], entity: Entity) -> int:
    """Return how many of the entity's fields the cells of a row name."""
    names = {tidied(cell).casefold() for cell in row}
    return sum(
        any(name.casefold() in names for name in (field.label, *field.aliases))
        for field in entity.fields
    )


def find(rows: Sequence[Sequence[str]], entity: Entity) -> int:
    """Return the index of the row that is the header: the first filled, unless another fits better.

    `rows` are the first rows of a sheet. Another row is taken only where it names at least half of
    the entity's fields and the first one does not: a title stands above the header.
    """
    first = next((i for i, row in enumerate(rows[:LOOKED_AT]) if any(map(tidied, row))), 0)
    fitting = [known(row, entity) for row in rows[:LOOKED_AT]]
    best = fitting.index(max(fitting)) if fitting else 0
    half = len(entity.fields) / 2
    return best if fitting and fitting[best] >= half > fitting[first] else first


def note(entity: Entity, row: int) -> str:
    """Return what is told of a header that is not in the first row."""
    return f"{entity.title}: the header was found in row {row}; the rows above it were left out."
