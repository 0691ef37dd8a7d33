"""Who sees which personal field, and where: one table, and the SQL that keeps to it.

Personal is what the catalogue declares as sensitive. Pages and files read rows and outcomes by the
columns that are made here, so they cannot disagree. Sentences, messages and logs have one text for
all their readers: they never quote a personal cell, whoever reads them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields import Field
from sync_core.catalogue.issue import part
from sync_core.catalogue.resource import Entity
from sync_core.foundation import tables
from sync_core.organizations.people import Person
from sync_core.records.outcome_format import KEY_SEPARATOR, SHOWN_SEPARATOR

MASK = "***"  # stands for whatever a masked cell holds; a blank one stays blank
NOT_SAID = "Not as it should be"  # where the catalogue has no sentence for a code
SHIFTED = [{"field": ""}]  # an issue of a row as a whole: its cells may stand under other headers
OURS = ("_removed_at",)  # columns of our own that an update may change

Column = sa.ColumnElement[Any]


class Place(StrEnum):
    """Where a cell may turn up."""

    PAGE = "page"  # the rows of a table
    HISTORY = "history"  # what a run did to a row: its name, its cells before and after
    EXPORT = "export"  # files
    SEARCH = "search"
    FILTER = "filter"
    SORT = "sort"
    PROBE = "probe"  # the first rows of a source that is tried
    LOG = "log"  # messages, notes, logs, and the sentences of issues


class Sight(StrEnum):
    """How much of a cell is seen."""

    SHOWN = "shown"
    MASKED = "masked"
    WITHHELD = "withheld"  # neither shown nor used: as if there were no such cell


@dataclass(frozen=True)
class Rule:
    """How a personal field is seen by those who may see personal data, and by all others."""

    permitted: Sight
    others: Sight


TABLE: Mapping[Place, Rule] = {
    Place.PAGE: Rule(Sight.SHOWN, Sight.MASKED),
    Place.HISTORY: Rule(Sight.SHOWN, Sight.MASKED),
    Place.EXPORT: Rule(Sight.SHOWN, Sight.MASKED),
    Place.SEARCH: Rule(Sight.SHOWN, Sight.WITHHELD),
    Place.FILTER: Rule(Sight.SHOWN, Sight.WITHHELD),
    Place.SORT: Rule(Sight.SHOWN, Sight.WITHHELD),
    Place.PROBE: Rule(Sight.MASKED, Sight.MASKED),  # nobody needs them to see that it can be read
    Place.LOG: Rule(Sight.WITHHELD, Sight.WITHHELD),
}


def permits(readers: Iterable[Person | None]) -> bool:
    """Return whether all of these readers may see personal data; where there is none, nobody may.

    Who reads the data of several organizations at once is a person in each of them.
    """
    persons = list(readers)
    return bool(persons) and all(person and person.may("personal") for person in persons)


def personal(place: Place, *readers: Person | None) -> Sight:
    """Return how the readers see personal fields in a place."""
    rule = TABLE[place]
    return rule.permitted if permits(readers) else rule.others


def sight(field: Field, place: Place, *readers: Person | None) -> Sight:
    """Return how the readers see a field in a place."""
    return personal(place, *readers) if field.sensitive else Sight.SHOWN


def hidden(entity: Entity, place: Place, *readers: Person | None) -> tuple[Field, ...]:
    """Return the fields of which the readers see nothing there."""
    return tuple(f for f in entity.fields if sight(f, place, *readers) is not Sight.SHOWN)


def may_be_named(entity: Entity, hidden: Iterable[Field]) -> bool:
    """Return whether a row's name says nothing of hidden fields; without a name it is its key."""
    labels = {field.label for field in hidden}
    return entity.named_by not in labels and may_be_keyed(entity, hidden)


def may_be_keyed(entity: Entity, hidden: Iterable[Field]) -> bool:
    """Return whether a row's key says nothing of hidden fields."""
    return not set(entity.keys) & set(hidden)


def may_be_told(entities: Iterable[Entity]) -> bool:
    """Return whether the keys of these entities may stand in what has one text for all readers."""
    return all(may_be_keyed(entity, hidden(entity, Place.LOG)) for entity in entities)


# What a run did to rows, as somebody sees it


@dataclass(frozen=True)
class Outcomes:
    """The columns of outcomes, as readers see them in a place.

    What is not known to be open is hidden: rows of unknown tables, cells under other headers, rows
    with more cells than headers.
    """

    place: Place
    sight: Sight  # of personal fields
    table: sa.FromClause = tables.outcomes  # or what has its columns, such as a plan that waits

    @property
    def name(self) -> Column:
        """What people call a row."""
        return self._where(_open_names(), self._rows.name)

    @property
    def key(self) -> Column:
        """A row's key, as people read it."""
        return self._where(
            _open_keys(), sa.func.replace(self._rows.key, KEY_SEPARATOR, SHOWN_SEPARATOR)
        )

    @property
    def identity(self) -> Column:
        """A row's key as it is stored, to look the row up by; null where it is hidden."""
        if self.sight is Sight.SHOWN:
            return self._rows.key
        seen = self._rows.entity.in_(_open_keys()) & ~self._is_shifted()
        return sa.case((seen, self._rows.key))

    @property
    def called(self) -> Column:
        """What tells a row from others: its name, else its key."""
        key = sa.func.replace(self._rows.key, KEY_SEPARATOR, SHOWN_SEPARATOR)
        if self.sight is Sight.SHOWN:
            return sa.func.coalesce(self._rows.name, key)
        named = sa.case(
            (self._rows.entity.in_(_open_names()) & ~self._is_shifted(), self._rows.name)
        )
        keyed = sa.case((self._rows.entity.in_(_open_keys()) & ~self._is_shifted(), key))
        return sa.func.coalesce(named, keyed, self._mask)

    @property
    def order(self) -> Column:
        """The key in its order, or in one that says nothing of it."""
        if self.sight is Sight.SHOWN:
            return self._rows.key
        return sa.case(
            (self._rows.entity.in_(_open_keys()), self._rows.key), else_=sa.func.md5(self._rows.key)
        )

    @property
    def changes(self) -> Column:
        """Each changed column before and after, or the cells of a removed row; JSON."""
        if self.sight is Sight.SHOWN:
            return self._rows.changes
        change = sa.func.jsonb_each(self._rows.changes).table_valued(
            sa.column("key", sa.Text), sa.column("value", JSONB), name="change"
        )
        column, value = change.c.key, change.c.value
        seen = sa.case((self._is_open(column), value), else_=self._json(value))
        return self._of_the_row(sa.func.jsonb_object_agg(column, seen, type_=JSONB))

    @property
    def issues(self) -> Column:
        """What is wrong with a row; of a hidden cell it is said in general; JSON."""
        if self.sight is Sight.SHOWN:
            return self._rows.issues
        elements = sa.func.jsonb_array_elements(self._rows.issues)
        value = sa.column("value", JSONB)
        listed = elements.table_valued(value, with_ordinality="place", name="listed")
        listed = listed.render_derived()
        issue = listed.c.value
        general = sa.func.coalesce(_sentences().op("->>")(part(issue, "code")), NOT_SAID)
        alone = issue.op("-")(sa.literal("beside", sa.Text))
        said = alone.op("||")(sa.func.jsonb_build_object("sentence", general))
        about = part(issue, "field")  # nothing, where it is about the row as a whole
        seen = sa.case(
            (self._is_open(about) & ~self._is_shifted() | (about == ""), issue), else_=said
        )
        return self._of_the_row(
            sa.func.jsonb_agg(aggregate_order_by(seen, listed.c.place), type_=JSONB)
        )

    def under(self, header: str) -> Column:
        """Return the raw cell under a header."""
        return self._where(_open_under(header), self._rows.raw[header].astext)

    def of(self, field: Column) -> Column:
        """Return the raw cell of a field, given by its label, under whatever header it stood."""
        cell = sa.func.coalesce(self._rows.raw.op("->>")(field), self._under_another(field))
        if self.sight is Sight.SHOWN:
            return cell
        seen = self._is_open(field) & ~self._is_shifted()
        return sa.case((seen, cell), (cell.is_not(None), self._mask), else_=None)

    def _under_another(self, field: Column) -> Column:
        """Return the raw cell of a field whose header is not its label."""
        names = {
            entity.name: {f.label: dict.fromkeys(_headers(f), 1) for f in entity.fields}
            for entity in resources.ENTITIES.values()
        }
        known = constant(names).op("->")(self._rows.entity).op("->")(field)
        raw = sa.func.jsonb_each_text(self._rows.raw).table_valued(
            sa.column("key", sa.Text), sa.column("value", sa.Text), name="raw_cell"
        )
        is_its = known.op("?", is_comparison=True)(sa.func.lower(raw.c.key))
        cell = sa.select(raw.c.value).where(is_its).limit(1)
        return cell.correlate_except(raw).scalar_subquery()

    def shows(self, header: str, entities: Iterable[Entity]) -> bool:
        """Return whether a file of these entities has a column for the header.

        Nobody asked for what stands under a header that is not declared, and knows what it is: it
        is no longer kept, but was once.
        """
        declared = (name for entity in entities for f in entity.fields for name in _headers(f))
        return header.casefold() in set(declared)

    @property
    def _mask(self) -> Column:
        return sa.literal(MASK) if self.sight is Sight.MASKED else sa.null()

    def _where(self, entities: Iterable[str], cell: Column) -> Column:
        """Show the cell in the rows of these entities alone."""
        if self.sight is Sight.SHOWN:
            return cell
        seen = self._rows.entity.in_(list(entities)) & ~self._is_shifted()
        return sa.case((seen, cell), (cell.is_not(None), self._mask), else_=None)

    def _json(self, value: Column) -> Column:
        """Hide a value, or both of before and after: that they differ is no secret."""
        parts = (self._json_cell(value[place]) for place in (0, 1))
        both = sa.func.jsonb_build_array(*parts)
        pair = sa.func.jsonb_typeof(value) == "array"
        return sa.case((pair, both), else_=self._json_cell(value))

    def _json_cell(self, value: Column) -> Column:
        blank = sa.func.jsonb_typeof(value) == "null"
        return sa.case((blank, value), else_=sa.func.to_jsonb(sa.cast(self._mask, sa.Text)))

    @property
    def _rows(self) -> sa.ColumnCollection[str, Column]:
        return self.table.c

    def _of_the_row(self, gathered: Column) -> Column:
        return sa.select(gathered).correlate(self.table).scalar_subquery()

    def _is_open(self, name: Column) -> sa.ColumnElement[bool]:
        """Return the SQL of whether a column, or a label, of the entity is no personal one."""
        named = {
            entity.name: {name: 1 for f in _open(entity) for name in (f.column, f.label)}
            | dict.fromkeys(OURS, 1)
            for entity in resources.ENTITIES.values()
        }
        of_entity = constant(named).op("->")(self._rows.entity)
        known = of_entity.op("?", is_comparison=True)(name)
        return sa.func.coalesce(known, sa.false()) | self._holds_nothing_personal()

    def _holds_nothing_personal(self) -> sa.ColumnElement[bool]:
        known = resources.ENTITIES.values()
        return self._rows.entity.in_([e.name for e in known if not _sensitive(e)])

    def _is_shifted(self) -> sa.ColumnElement[bool]:
        """Return the SQL of whether personal cells may stand under any header of the row."""
        shifted = self._rows.issues.contains(constant(SHIFTED))
        return sa.func.coalesce(shifted, sa.false()) & ~self._holds_nothing_personal()


def outcomes(
    place: Place, *readers: Person | None, table: sa.FromClause = tables.outcomes
) -> Outcomes:
    """Return the columns of outcomes, or of a `table` like it, as the readers see them there."""
    return Outcomes(place, personal(place, *readers), table)


def _open(entity: Entity) -> list[Field]:
    return [field for field in entity.fields if not field.sensitive]


def _sensitive(entity: Entity) -> list[Field]:
    return [field for field in entity.fields if field.sensitive]


def _open_names() -> list[str]:
    known = resources.ENTITIES.items()
    return [name for name, entity in known if may_be_named(entity, _sensitive(entity))]


def _open_keys() -> list[str]:
    known = resources.ENTITIES.items()
    return [name for name, entity in known if may_be_keyed(entity, _sensitive(entity))]


def _open_under(header: str) -> list[str]:
    return [
        name
        for name, entity in resources.ENTITIES.items()
        if any(header.casefold() in _headers(field) for field in _open(entity))
        and not any(header.casefold() in _headers(field) for field in _sensitive(entity))
    ]


def _headers(field: Field) -> set[str]:
    """Name the headers, in lower case, under which a field may stand in a sheet."""
    return {name.casefold() for name in (field.label, *field.aliases)}


def _sentences() -> Column:
    """Return the SQL of the summary of each code, which quotes nothing."""
    return constant({code: found.summary for code, found in CELL_CODES.items()})


def constant(value: object) -> Column:
    """Return the SQL of a constant in JSON."""
    return sa.cast(sa.literal(json.dumps(value)), JSONB)
