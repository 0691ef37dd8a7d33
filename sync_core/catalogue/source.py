"""The protocol of a source: what it returns, page by page."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

from sync_core.catalogue.fields import NumberFormat
from sync_core.catalogue.resource import Entity

__all__ = [
    "Counting",
    "Dated",
    "NumberFormat",
    "Page",
    "RowFault",
    "Sheet",
    "Source",
    "Watchable",
]


@dataclass(frozen=True)
class RowFault:
    """Why a row cannot be trusted, though each of its cells may look right.

    `code` is one of CELL_CODES, `facts` are what its sentence names. Cells from column `sure` on
    may not be what they seem: none of them is read. `others` rows may be hidden in this one, so
    that nobody knows their keys. `field` is the label of the one that is odd; "" where cells may
    stand under the headers of others.
    """

    code: str
    facts: Mapping[str, object]
    sure: int = 0
    others: int = 0
    field: str = ""


@dataclass(frozen=True)
class Page:
    """Consecutive rows of a sheet, by column.

    `texts[i]` holds the cells of the sheet's column i as people see them (str, or None for a
    blank one; a list or a pyarrow string array), for every header. `numbers[i]` holds, for the
    columns asked for, the number under the cell or None; it is empty where a source knows only
    texts (CSV). `formats[i]` says, for the same columns, what the number's format shows
    (`NumberFormat`), None where the source does not know; `booleans[i]` holds the truth value
    under a cell, such as that of a checkbox, or None. `rows` are row numbers in the sheet. `tidy`
    names columns that `clean` would leave as they are, where the source can tell that faster.
    `broken` says, by row number, which rows cannot be trusted, and why. `uncalculated` names the
    cells of formulas that have no value yet; their text is an error that every field refuses.
    `gone` names the rows that hold no more than a key: their records are known to have left.
    """

    rows: Sequence[int]
    texts: Sequence[Any]
    numbers: Mapping[int, Sequence[float | None]] = field(default_factory=dict)
    formats: Mapping[int, Sequence[str | None]] = field(default_factory=dict)
    booleans: Mapping[int, Sequence[bool | None]] = field(default_factory=dict)
    tidy: Collection[int] = ()
    broken: Mapping[int, RowFault] = field(default_factory=dict)
    uncalculated: Collection[tuple[int, int]] = ()  # row numbers and columns
    gone: Collection[int] = ()  # row numbers
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
    def notes(self) -> Sequence[str]:
        """What a person should know of the sheet, though nothing is wrong: it is hidden, say.

        Some of it may be known only when the rows were read; asked earlier, it may take as long.
        """

    @property
    def version(self) -> Any:  # noqa: ANN401 - JSON
        """JSON that is another one where the sheet was changed; None where nobody can tell."""

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
        """Return the address at which a person sees the cell, where there is one; column A is 0."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A sheet whose source tells how many records there are, whatever was read of them."""

    def count(self) -> int | None:
        """Return how many records there were when it was opened, and came and were read since.

        None where ours cannot be compared.
        """
        ...


@runtime_checkable
class Dated(Protocol):
    """A sheet whose source tells when it was changed last: its version is of that moment."""

    @property
    def changed_at(self) -> datetime | None:
        """When it was changed last; None where the source could not be asked."""


@runtime_checkable
class Watchable(Protocol):
    """A sheet whose source can be asked whether any of its records was changed since a moment."""

    @property
    def behind(self) -> float:
        """The seconds by which the source's clock is behind ours; negative where it is ahead."""
        ...

    def changed_since(self, moment: datetime) -> bool:
        """Return whether any was, by the source's clock."""
        ...


class Source(Protocol):
    """What holds the sheets of a resource."""

    def open(self, entity: Entity) -> Sheet:
        """Open the sheet of one entity and read its header. Raises SyncError."""
        ...
