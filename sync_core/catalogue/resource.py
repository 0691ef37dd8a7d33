"""What can be kept in step: resources, their entities and their rules."""

from dataclasses import dataclass, field

from sync_core.catalogue import cell_codes
from sync_core.catalogue.fields import Field
from sync_core.catalogue.phases import SHEETS, Steps
from sync_core.foundation.vocabulary import Removal


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
        relation = "not be before" if self.or_equal else "be after"
        return cell_codes.sentence(
            "out_of_order", label=self.label, relation=relation, other=self.than
        )


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
    removal: Removal = Removal.KEEP
    withdrawn: tuple[str, ...] = ()  # labels
    lookups: tuple[tuple[str, ...], ...] = ()  # labels by which rows are looked up: an index each
    aside: tuple[str, ...] = ()  # labels of columns that are seen only where somebody chooses them
    key_name: str | None = None  # of the constraint that keeps its key unique; None: as usual

    @property
    def withdraws(self) -> tuple[Field, ...]:
        """The fields that tell that a record is gone; none where nothing is ever removed."""
        return tuple(
            f for f in self.fields if f.label in self.withdrawn and self.removal != Removal.KEEP
        )

    @property
    def leading(self) -> tuple[Field, ...]:
        """The fields that are seen at first."""
        return tuple(f for f in self.fields if f.label not in self.aside)

    @property
    def keys(self) -> tuple[Field, ...]:
        """The fields that together are the key."""
        return tuple(f for f in self.fields if f.key)

    def counted(self, number: int, which: str = "") -> str:
        """Return a count of its records: "1 location", "1,511 known locations"."""
        many = self.title.lower()
        one = many.removesuffix("s") if number == 1 else many
        return " ".join(part for part in (f"{number:,}", which, one) if part)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What one page keeps in step: entities in the order in which they depend on each other."""

    name: str
    title: str  # "Therapists": what people call it everywhere
    heading: str = ""  # of its page, where that is another one
    icon: str
    entities: tuple[Entity, ...]
    steps: Steps = field(default=SHEETS, hash=False)
    held_by: str | None = None  # the kind of source whose accounts hold it; None: no account does
    time_limit: float | None = None  # seconds for a run; None: as long as any other
    analysis: str | None = None  # what is counted of it beyond rows; see `analytics/analyses.py`

    @property
    def main(self) -> Entity:
        """The entity that people think of first."""
        return next((e for e in self.entities if e.name == self.steps.main), self.entities[0])
