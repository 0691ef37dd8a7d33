"""What every field is: a label, a type in SQL, and a way to read the cells of a column."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar

import polars as pl
from sqlalchemy.types import TypeEngine

from sync_core.catalogue import cell_codes
from sync_core.catalogue.fields.cells import (
    Cell,
    CellError,
    Reading,
    Shortcut,
    first_of,
    keep,
    nothing,
    plain,
    refuse_unreadable,
    shortest,
)
from sync_core.catalogue.fields.convention import Convention

REMEMBERED = 16_384  # odd cells whose reading is kept: some megabytes for each field
HIDDEN = "\N{HORIZONTAL ELLIPSIS}"  # what a sentence quotes of a sensitive cell
QUOTED = 40  # characters of a cell that a sentence quotes
LONGEST = 1000  # characters that it looks at

Look = Callable[..., tuple[str | None, str | None]]  # text[, number] -> value, code
_NEUTRAL = Convention()  # how numbers are written that come as numbers


@dataclass(frozen=True)
class Field(ABC):
    """One column of a source and of its table."""

    label: str
    _: KW_ONLY
    key: bool = False
    required: bool = False
    unique: bool = False
    refers_to: str | None = None  # the entity whose key this cell must name
    aliases: tuple[str, ...] = ()
    sensitive: bool = False  # masked for those who may not see it

    sql_type: ClassVar[TypeEngine[Any]]  # of the column in Postgres
    reads_numbers: ClassVar[bool] = False  # wants the number under the cell's format

    @property
    def column(self) -> str:
        """The column's name in Postgres: the label in snake case."""
        return re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")

    @abstractmethod
    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Ways to read many texts at once, cheap to dear, where that is sure to equal `parse`."""

    @abstractmethod
    def parse(self, text: str, convention: Convention) -> str:
        """Read any text that people type. Raises CellError."""

    def read_numbers(self, numbers: pl.Series, _texts: pl.Series) -> pl.Series:
        """Read many numbers at once, where that is sure to equal `parse_number`."""
        return first_of(self.shortcuts(_NEUTRAL), shortest(numbers))

    def parse_number(self, number: float, _text: str | None) -> str:
        """Read the number under a text: its shortest decimal. Raises CellError."""
        return self.parse(format(Decimal(repr(number)), "f"), _NEUTRAL)

    def facts(self, _text: str, _convention: Convention) -> dict[str, object]:
        """Return what this field's sentences name beside its label and the cell."""
        return {}

    def read(self, cell: Cell, convention: Convention) -> Reading:
        """Judge a cleaned cell (blank cells and `required` are the caller's).

        Both expressions are elementwise, and the code is made out of the value: a lazy query
        that asks for both computes each of them once.
        """
        number = cell.number if self.reads_numbers else None
        cells = [cell.text] if number is None else [cell.text, number]
        look = lru_cache(REMEMBERED)(partial(self._look, convention))
        value = _elementwise(partial(self._values, self.shortcuts(convention), look), cells)
        return Reading(value, _elementwise(partial(_codes, look), [value, *cells]))

    def explain(self, code: str, text: str, convention: Convention, *, hidden: bool = False) -> str:
        """Say in a sentence what `code` means for this cell.

        A sensitive one is not quoted, nor one that is `hidden`, as it may hold what is sensitive.
        """
        text = HIDDEN if self.sensitive or hidden else text
        shown = _shown(text)
        facts = self.facts(text, convention)
        return cell_codes.sentence(code, label=self.label, shown=shown, text=f"'{shown}'", **facts)

    def _values(
        self, shortcuts: Sequence[Shortcut], look: Look, cells: Sequence[pl.Series]
    ) -> pl.Series:
        values = self._quick(shortcuts, *cells)
        odd = _unread(values, cells)
        if odd.is_empty():
            return values
        seen = [value for value, _ in _looked_at(odd, cells, look)]
        return values.clone().scatter(odd, pl.Series(seen, dtype=pl.String))

    def _quick(
        self, shortcuts: Sequence[Shortcut], texts: pl.Series, numbers: pl.Series | None = None
    ) -> pl.Series:
        """Read whole columns where that is sure; a number under a text wins."""
        if numbers is None:
            return first_of(shortcuts, texts)
        counted = numbers.is_not_null()
        written = first_of(shortcuts, keep(texts, ~counted))
        return self.read_numbers(numbers, texts).zip_with(counted, written)

    def _look(
        self, convention: Convention, text: str, number: float | None = None
    ) -> tuple[str | None, str | None]:
        """Read one cell: its value, or the code of what is wrong."""
        try:
            if number is not None:
                return self.parse_number(number, text), None
            refuse_unreadable(text)
            return self.parse(text, convention), None
        except CellError as error:
            return None, error.code


def _elementwise(
    function: Callable[[Sequence[pl.Series]], pl.Series], columns: Sequence[pl.Expr]
) -> pl.Expr:
    return pl.map_batches(columns, function, return_dtype=pl.String, is_elementwise=True)


def _codes(look: Look, columns: Sequence[pl.Series]) -> pl.Series:
    values, *cells = columns
    codes, wrong = nothing(len(values)), _unread(values, cells)
    if wrong.is_empty():
        return codes
    seen = [code for _, code in _looked_at(wrong, cells, look)]
    return codes.scatter(wrong, pl.Series(seen, dtype=pl.String))


def _unread(values: pl.Series, cells: Sequence[pl.Series]) -> pl.Series:
    """Find the rows that hold something and have no value."""
    held = cells[0].is_not_null()
    for other in cells[1:]:
        held |= other.is_not_null()
    return (held & values.is_null()).arg_true()


def _looked_at(
    rows: pl.Series, cells: Sequence[pl.Series], look: Look
) -> list[tuple[str | None, str | None]]:
    return [look(*cell) for cell in zip(*(column.gather(rows) for column in cells), strict=True)]


def _shown(text: str) -> str:
    """Cut a cell to what a sentence can quote, on one line."""
    start = plain(text[:LONGEST])
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in start)
    return line if len(line) <= QUOTED else line[: QUOTED - 1] + "…"
