"""What every field is: a label, a type in SQL, and a way to read the cells of a column."""

from __future__ import annotations  # those that name Polars load none of it

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from sync_core.catalogue import cell_codes
from sync_core.catalogue.fields.cells import (
    BlankError,
    Cell,
    CellError,
    Reading,
    Shortcut,
    first_of,
    keep,
    nothing,
    plain,
    refuse_unreadable,
)
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.number_formats import NumberCell, told
from sync_core.catalogue.fields.placeholders import is_placeholder
from sync_core.catalogue.fields.polars_later import pl

REMEMBERED = 16_384  # odd cells whose reading is kept: some megabytes for each field
QUOTED = 40  # characters of a cell that a sentence quotes
LONGEST = 1000  # characters that it looks at

Look = Callable[..., tuple[str | None, str | None]]  # text[, number, format] -> value, code
NEUTRAL = Convention()  # how the values of fields are written


@dataclass(frozen=True)
class Field(ABC):
    """One column of a source and of its table."""

    label: str
    _: KW_ONLY
    key: bool = False
    required: bool = False
    unique: bool = False
    refers_to: str | None = None  # the entity whose key this cell must name
    points_to: str | None = None  # the entity whose key it may name
    aliases: tuple[str, ...] = ()
    sensitive: bool = False  # masked for those who may not see it

    sql_type: ClassVar[TypeEngine[Any]]  # of the column in Postgres
    fills_rows: ClassVar[bool] = True  # False: a default may stand down to the last row
    formats: ClassVar[frozenset[str]] = frozenset()  # of the numbers under a cell that count here

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

    @property
    def identifies(self) -> bool:
        """Whether records are told apart, or found, by this field."""
        return self.key or self.unique or self.refers_to is not None

    @property
    def named_in(self) -> str | None:
        """The entity in which the record of this code has its name."""
        return self.refers_to or self.points_to

    @property
    def reads_numbers(self) -> bool:
        """Whether the number under a cell counts."""
        return bool(self.formats)

    @property
    def wants_more_than_texts(self) -> bool:
        """Whether a source should hand over what is under the cells."""
        return self.reads_numbers

    def may_say_nothing(self, text: str) -> bool:
        """Return whether a text such as n/a counts as a blank cell."""
        return is_placeholder(text)

    def read_numbers(
        self, numbers: pl.Series, texts: pl.Series, formats: pl.Series, convention: Convention
    ) -> pl.Series:
        """Read many numbers at once, where that is sure to equal `parse_number`.

        It is sure where the text says exactly the number.
        """
        read = first_of(self.shortcuts(convention), texts)
        same = (read.cast(pl.Float64, strict=False) == numbers).fill_null(value=False)
        return keep(read, same & (formats.is_null() | formats.is_in(list(self.formats))))

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read the number under a text, as people see it. Raises CellError."""
        raise NotImplementedError

    def doubtful(self, _cell: Cell, _convention: Convention) -> pl.Expr | None:
        """Return whether a cell that is read would mean something else if people wrote otherwise.

        None where none could.
        """
        return None

    def shows(self, _text: str, _convention: Convention) -> str | None:
        """Say what a text that was refused shows of how people write here; None: nothing."""
        return None

    def facts(
        self, _text: str, _convention: Convention, _cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return what this field's sentences name beside its label and the cell."""
        return {}

    def read(self, cell: Cell, convention: Convention) -> Reading:
        """Judge a cleaned cell (blank cells and `required` are the caller's).

        Both expressions are elementwise, and the code is made out of the value: a lazy query
        that asks for both computes each of them once.
        """
        cells = [cell.text]
        if self.reads_numbers and cell.number is not None and cell.format is not None:
            cells += [cell.number, cell.format]
        look = lru_cache(REMEMBERED)(partial(self._look, convention))
        value = _elementwise(partial(self._values, convention, look), cells)
        return Reading(value, _elementwise(partial(_codes, look), [value, *cells]))

    def explain(
        self,
        code: str,
        text: str,
        convention: Convention,
        cell: NumberCell | None = None,
        *,
        hidden: bool = False,
        **more: object,
    ) -> str:
        """Say in a sentence what `code` means for this cell; `more` are facts of the row.

        A sensitive one is not quoted, nor one that is `hidden`, as it may hold what is sensitive.
        """
        if self.sensitive or hidden:
            facts = {**self.facts("", convention), **more}
            return cell_codes.unquoted(code, label=self.label, **facts)
        shown = _shown(text) or "nothing"
        value = told(cell) if cell else ""
        facts = {"value": value, **self.facts(text, convention, cell), **more}
        return cell_codes.sentence(code, label=self.label, shown=shown, text=f"'{shown}'", **facts)

    def _values(self, convention: Convention, look: Look, cells: Sequence[pl.Series]) -> pl.Series:
        values = self._quick(convention, *cells)
        odd = _unread(values, cells)
        if odd.is_empty():
            return values
        seen = [value for value, _ in _looked_at(odd, cells, look)]
        return values.clone().scatter(odd, pl.Series(seen, dtype=pl.String))

    def _quick(
        self,
        convention: Convention,
        texts: pl.Series,
        numbers: pl.Series | None = None,
        formats: pl.Series | None = None,
    ) -> pl.Series:
        """Read whole columns where that is sure; a number under a text wins."""
        if numbers is None or formats is None or numbers.null_count() == len(numbers):
            return first_of(self.shortcuts(convention), texts)
        counted = numbers.is_not_null()
        read = self.read_numbers(numbers, keep(texts, counted), formats, convention)
        if counted.all():
            return read
        return read.zip_with(counted, first_of(self.shortcuts(convention), keep(texts, ~counted)))

    def _look(
        self,
        convention: Convention,
        text: str | None,
        number: float | None = None,
        form: str | None = None,
    ) -> tuple[str | None, str | None]:
        """Read one cell: its value, or the code of what is wrong; neither where it is blank."""
        try:
            if number is not None:
                return self.parse_number(NumberCell(number, text, form), convention), None
            return self._parse_text(text or "", convention), None
        except BlankError:
            return None, "required" if self.required or self.key else None
        except CellError as error:
            return None, error.code

    def _parse_text(self, text: str, convention: Convention) -> str:
        refuse_unreadable(text)
        if self.may_say_nothing(text):
            raise BlankError
        return self.parse(text, convention)


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
    if len(cells) > 1:
        held |= cells[1].is_not_null()
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
