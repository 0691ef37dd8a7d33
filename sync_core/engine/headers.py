"""Which column of a sheet is which field: checked before any row is read."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sync_core.catalogue import header_row
from sync_core.catalogue.cell_address import address, letters
from sync_core.catalogue.fields import Field
from sync_core.catalogue.fields.field import QUOTED
from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.engine.listing import first_of
from sync_core.foundation.errors import SyncError
from sync_core.records import privacy
from sync_core.records.privacy import Place

ALIKE = 0.8  # of the letters of two words are the same, in the same order; Rate is no Date


@dataclass(frozen=True)
class Columns:
    """The fields of an entity with their columns in the sheet (0 is A), and what was ignored."""

    fields: tuple[tuple[Field, int], ...]
    headers: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The columns of which the fields want the number under the cell."""
        return frozenset(index for field, index in self.fields if field.wants_more_than_texts)

    def as_json(self) -> dict[str, Any]:
        """Return it as another process of ours reads it."""
        return {**vars(self), "fields": [(field.label, index) for field, index in self.fields]}

    @classmethod
    def from_json(cls, entity: Entity, kept: Mapping[str, Any]) -> Self:
        """Return the columns that another process has found."""
        labels = {field.label: field for field in entity.fields}
        return cls(
            tuple((labels[label], index) for label, index in kept["fields"]),
            tuple(kept["headers"]),
            tuple(kept["notes"]),
        )


def match(entity: Entity, sheet: Sheet) -> Columns:
    """Find every field's column. Raises SyncError where one is missing or repeated."""
    headers = tuple(map(header_row.tidied, sheet.headers))
    places = {field.label: header_row.columns_of(field, headers) for field in entity.fields}
    missing = [field for field in entity.fields if not places[field.label]]
    if len(missing) == len(entity.fields) > 1:
        raise _no_label(entity, headers, sheet)
    if missing:
        raise _missing(missing, _unknown(headers, places), sheet)
    for label, found in places.items():
        if len(found) > 1:
            cells = " and ".join(address(sheet.title, sheet.header_row, i) for i in found[:2])
            raise SyncError("repeated_column", label=label, cells=cells)
    told = tuple(_told(entity, headers, places))
    return Columns(
        tuple((field, places[field.label][0]) for field in entity.fields),
        told,
        tuple(_notes(entity, told, places)),
    )


def _told(entity: Entity, headers: Sequence[str], places: Mapping[str, list[int]]) -> Iterator[str]:
    """Return the headers as they are kept: one that nobody declared may name a person.

    So beside what is personal it is called by its letters; what it says stays in the sheet.
    """
    unknown = _unknown(headers, places) if privacy.hidden(entity, Place.LOG) else []
    for index, header in enumerate(headers):
        yield letters(index) if index in unknown else header


def _unknown(headers: Sequence[str], places: Mapping[str, list[int]]) -> list[int]:
    known = {index for found in places.values() for index in found}
    return [i for i, header in enumerate(headers) if header and i not in known]


def _missing(fields: Sequence[Field], unknown: Sequence[int], sheet: Sheet) -> SyncError:
    spare = [header_row.tidied(sheet.headers[i]) for i in unknown]
    guesses = {field.label: _guess(field, spare) for field in fields}
    return SyncError(
        "missing_column",
        sheet=sheet.title,
        each=[
            {"label": label, "hint": f" Did you mean '{guess}'?" if guess else ""}
            for label, guess in guesses.items()
        ],
    )


def _no_label(entity: Entity, headers: Sequence[str], sheet: Sheet) -> SyncError:
    """Return what is said where nothing looks like the header: it is another table, or no table."""
    first = next(filter(None, headers), "")
    # where it is no header it is a cell of a row, and nobody knows of which field
    quoted = "" if privacy.hidden(entity, Place.LOG) else f"'{_cut(first)}'"
    if _labels_in(first, entity) >= len(entity.fields) / 2:
        row = sheet.header_row
        quoted = quoted and f": {quoted}"
        return SyncError("unparted_header", name=_inside(sheet.name), row=row, quoted=quoted)
    return SyncError(
        "no_label",
        sheet=sheet.title,
        name=sheet.name,
        table=entity.title,
        row=sheet.header_row,
        holds=f"begins with {quoted}" if quoted else "holds none of its labels",
        label=entity.fields[0].label,
    )


def _labels_in(text: str, entity: Entity) -> int:
    """Return how many labels stand in one cell."""
    return sum(field.label.casefold() in text.casefold() for field in entity.fields)


def _inside(name: str) -> str:
    """Return the name of a sheet as it stands inside a sentence: the file 'a.csv'."""
    return name[:1].lower() + name[1:]


def _guess(field: Field, spare: Sequence[str]) -> str | None:
    """Guess what a missing column is called: one that is like it, but for a letter or a word."""
    lower = {name.casefold(): name for name in spare}
    for name in map(str.casefold, (field.label, *field.aliases)):
        for close in difflib.get_close_matches(name, lower, n=1, cutoff=ALIKE):
            return lower[close]
    return None


def _quoted(header: str, index: int) -> str:
    return header if header == letters(index) else f"'{_cut(header)}'"


def _notes(entity: Entity, headers: Sequence[str], places: Mapping[str, list[int]]) -> list[str]:
    notes = []
    if ignored := [_quoted(headers[i], i) for i in _unknown(headers, places)]:
        were = "columns were" if len(ignored) > 1 else "column was"
        notes.append(
            f"{entity.title}: {len(ignored):,} unknown {were} ignored: {first_of(ignored)}."
        )
    if blank := sum(not header for header in headers):
        were = "columns without a header were" if blank > 1 else "column without a header was"
        notes.append(f"{entity.title}: {blank:,} {were} ignored.")
    return notes


def _cut(header: str) -> str:
    return header if len(header) <= QUOTED else header[: QUOTED - 1] + "\N{HORIZONTAL ELLIPSIS}"
