"""What can be kept in step: resources, their entities and rules, and the protocol of a source."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from sync_core.catalogue.fields import Field
from sync_core.catalogue.phases import SHEETS, Steps

Removal = Literal["keep", "deactivate", "delete"]


@dataclass(frozen=True)
class Skip:
    """A rule that leaves rows out: those whose `label` reads `value`; counted and named apart."""

    name: str  # "FLAT", as in "3 FLAT skipped"
    label: str
    value: str
    sentence: str  # "FLAT employment type"


@dataclass(frozen=True)
class Order:
    """A rule between two cells of a row: `label` comes after `than` (or may equal it)."""

    label: str
    than: str
    or_equal: bool = False

    @property
    def sentence(self) -> str:
        """What is wrong where the rule is broken."""
        place = "not be before" if self.or_equal else "be after"
        return f"{self.label} must {place} {self.than}"


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One target table: its fields, its key, its rules, its removal policy.

    A row in which a cell of a `withdrawn` label is filled tells that its record is gone: it counts
    as if it were absent, where removal means anything.
    """

    name: str  # also the table's name, and of its CSV file
    title: str  # "Locations"; also the usual title of its tab
    fields: tuple[Field, ...]
    named_by: str = "Name"  # label of the field that names a row to people
    skips: tuple[Skip, ...] = ()
    orders: tuple[Order, ...] = ()
    removal: Removal = "keep"
    withdrawn: tuple[str, ...] = ()  # labels
    lookups: tuple[tuple[str, ...], ...] = ()  # labels by which rows are looked up: an index each
    key_name: str | None = None  # of the constraint that keeps its key unique; None: as usual

    @property
    def withdraws(self) -> tuple[Field, ...]:
        """The fields that tell that a record is gone; none where nothing is ever removed."""
        return tuple(f for f in self.fields if f.label in self.withdrawn and self.removal != "keep")

    @property
    def keys(self) -> tuple[Field, ...]:
        """The fields that together are the key."""
        return tuple(f for f in self.fields if f.key)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What one page keeps in step: entities in the order in which they depend on each other."""

    name: str
    title: str
    icon: str
    entities: tuple[Entity, ...]
    steps: Steps = field(default=SHEETS, hash=False)

    @property
    def main(self) -> Entity:
        """The entity that people think of first."""
        return next((e for e in self.entities if e.name == self.steps.main), self.entities[0])


@dataclass(frozen=True)
class Page:
    """Consecutive rows of a sheet, by column.

    `texts[i]` holds the cells of the sheet's column i as people see them (str, or None for a
    blank one; a list or a pyarrow string array), for every header. `numbers[i]` holds, for the
    columns asked for, the number under the cell or None; it is empty where a source knows only
    texts (CSV). `rows` are row numbers in the sheet. `tidy` names columns that `clean` would leave
    as they are, where the source can tell that faster.
    """

    rows: Sequence[int]
    texts: Sequence[Any]
    numbers: Mapping[int, Sequence[float | None]] = field(default_factory=dict)
    tidy: Collection[int] = ()
    broken: Mapping[int, str] = field(default_factory=dict)  # row number -> why it cannot be read
    cursor: Any = None  # JSON; where reading can go on after this page, None where it cannot
    done: int | None = None  # how much of `Sheet.total` has been read after this page


class Sheet(Protocol):
    """One opened table of a source: its header is read, its rows are not."""

    @property
    def name(self) -> str:
        """What a sentence about it begins with: "The tab 'Locations' of 'Master data'"."""

    @property
    def title(self) -> str:
        """What an address begins with: Locations!C418."""

    @property
    def headers(self) -> Sequence[str]:
        """The cells of the header row, from column A on."""

    @property
    def header_row(self) -> int:
        """The header's row number; 1 for the first row."""

    @property
    def locale(self) -> str | None:
        """Of numbers and dates; None: ISO."""

    @property
    def total(self) -> int | None:
        """How much there is to read, in the unit of `Page.done`."""

    @property
    def unit(self) -> Literal["rows", "bytes"]:
        """What `total` and `Page.done` count."""

    def pages(self, numbers: frozenset[int], cursor: Any = None) -> Iterator[Page]:  # noqa: ANN401 - JSON
        """Read the rows in order, with the numbers of these columns, after `cursor` if given.

        Raises SyncError where the source cannot be read to its end.
        """
        ...

    def link(self, row: int, column: int) -> str | None:
        """Give the address at which a person sees the cell, where there is one; column A is 0."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A sheet whose source can be asked how many records there are, whatever was read of them."""

    def count(self) -> int | None:
        """Ask how many records the table holds now; None where that says nothing of ours."""
        ...


class Source(Protocol):
    """A place that holds the sheets of a resource."""

    def open(self, entity: Entity) -> Sheet:
        """Open the sheet of one entity and read its header. Raises SyncError."""
        ...
