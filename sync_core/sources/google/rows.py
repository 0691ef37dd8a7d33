"""The rows of a Google tab: their texts in blocks, what is under them, and their number formats."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import Any, Self, TypeVar

from gspread.utils import rowcol_to_a1

from sync_core.catalogue.fields import Convention
from sync_core.foundation.errors import SyncError
from sync_core.sources.google.answers import Cells, Columns
from sync_core.sources.google.bodies import LARGEST_BODY, TOO_LARGE
from sync_core.sources.google.client import GoogleClient
from sync_core.sources.google.evidence import contradicts, mismatch, slipped, tells
from sync_core.sources.google.number_formats import Format

PAGE_ROWS = 20_000  # of ten columns; about 3 MB of JSON, and constant memory
PAGE_CELLS = 400_000
READ_AGAIN = 20_000  # texts of a block of which nobody wants the values; some 500 kB of JSON
LAST_ROWS = 20  # of a larger block
REMEMBERED = 65_536  # pairs of text and number; dates and prices come again and again

T = TypeVar("T")


def rows_of_a_page(width: int) -> int:
    """Return how many rows of so many columns are handed on at once."""
    return max(1, min(PAGE_ROWS, PAGE_CELLS // width))


@dataclass(frozen=True)
class Block:
    """Rows as they were asked for, the last of which may be blank."""

    rows: range
    texts: Columns

    @property
    def height(self) -> int:
        """How many rows there are to the last that shows anything."""
        return max(map(len, self.texts), default=0)

    def pieces(self, size: int) -> Iterator[Self]:
        """Cut a block into blocks of so many rows; blank rows at its end stay in one."""
        for start in range(0, max(1, self.height), size):
            stop = start + size if start + size < self.height else len(self.rows)
            yield type(self)(self.rows[start:stop], [column[start:stop] for column in self.texts])


@dataclass(frozen=True)
class ReadBlock:
    """A block, and by column the values and the number formats that were asked for.

    A format is None where the text tells what people see of the number.
    """

    block: Block
    values: Mapping[int, Sequence[Any]]
    formats: Mapping[int, Sequence[Format | None]]

    @property
    def hidden(self) -> int:
        """How many cells of a blank block hold a value that their formats hide."""
        return sum(value != "" for values in self.values.values() for value in values)


@dataclass(frozen=True, kw_only=True)
class RowReader:
    """Reads the rows of one tab, or a part that fits together, or raises SyncError."""

    client: GoogleClient
    title: str
    name: str  # in sentences
    width: int  # columns
    last: int  # row of the grid
    declared: frozenset[int]  # columns that somebody reads
    locale: str | None

    def cells(self, rows: range) -> Cells:
        """Return rows as a range."""
        return Cells(self.title, rows, range(self.width))

    def blocks(self, first: int) -> Iterator[Block]:
        """Read the texts from a row on; once they end in blank rows, all the rest at once."""
        size, ends = rows_of_a_page(self.width), False
        while first <= self.last:
            last = self.last if ends else min(first + size - 1, self.last)
            rows = range(first, last + 1)
            try:
                block = self._block(rows)
            except SyncError as error:
                self._ask_for_less(rows, error)
                size, ends = (size, False) if ends else (size // 2, False)
                continue
            yield from block.pieces(size)
            ends = block.height < len(rows)
            first = last + 1

    def read(self, block: Block, numbers: frozenset[int]) -> ReadBlock:
        """Return a block with what is under its cells; it is read anew where that does not fit."""
        given = [block]

        def read() -> ReadBlock:
            seen = given.pop() if given else self._block(block.rows)
            values = self._under(seen, numbers)
            return ReadBlock(seen, values, self._formats(seen, values))

        return replace(self.client.retry, only="google_contradicts")(read)

    def must_be_blank(self, read: ReadBlock) -> None:
        """Refuse a block that came as blank, and is not as another of Google's methods says."""
        rows = read.block.rows
        if sum(self._in_parts(self.client.filled, _sum, [self.cells(rows)])) > read.hidden:
            raise self._contradiction(read.block, 0, 0)

    def _block(self, rows: range) -> Block:
        return Block(rows, self.client.texts(self.cells(rows)))

    def _under(self, block: Block, numbers: frozenset[int]) -> dict[int, list[Any]]:
        """Read the values under columns; where nothing is shown, of all: for nothing may be there.

        They are asked for down to the end of the block, and would reveal that texts are missing.
        With them, texts of which nobody wants the values are read once more: all of a small block,
        of a larger one the last, for a column that slipped is seen at its end.
        """
        columns = sorted(numbers) if block.height else range(self.width)
        runs = [Cells(self.title, block.rows, run) for run in _runs(columns)]
        texts = sorted(self.declared - numbers) if block.height else []
        is_small = block.height * len(texts) <= READ_AGAIN
        start = 0 if is_small else block.height - LAST_ROWS
        ends = [Cells(self.title, block.rows[start : block.height], run) for run in _runs(texts)]
        found = self._in_parts(self.client.values, _below, [*runs, *ends]) if runs else []
        under = _by_column(runs, found[: len(runs)])
        for column, values in under.items():
            if (place := mismatch(block.texts[column], values)) is not None:
                raise self._contradiction(block, column, place)
        for column, values in _by_column(ends, found[len(runs) :]).items():
            if (place := slipped(block.texts[column][start:], values)) is not None:
                raise self._contradiction(block, column, start + place)
        return under

    def _formats(
        self, block: Block, under: Mapping[int, list[Any]]
    ) -> dict[int, list[Format | None]]:
        """Read the number formats of the rows of a column whose texts do not tell enough."""
        untold = {column: self._untold(block.texts[column], v) for column, v in under.items()}
        untold = {column: places for column, places in untold.items() if places}
        spans = [
            Cells(self.title, block.rows[places[0] : places[-1] + 1], range(column, column + 1))
            for column, places in untold.items()
        ]
        found = self._in_parts(self.client.formats, _after, spans) if spans else []
        formats: dict[int, list[Format | None]] = {}
        for (column, places), span in zip(untold.items(), found, strict=True):
            told: list[Format | None] = [None] * len(block.rows)
            for place in places:
                told[place] = form = span[place - places[0]]
                if contradicts(_at(block.texts[column], place), under[column][place], form):
                    raise self._contradiction(block, column, place)
            formats[column] = told
        return formats

    def _untold(self, texts: Sequence[str], values: Sequence[Any]) -> list[int]:
        """Return the places of the values of which the text does not tell what people see."""
        return [
            place for place, value in enumerate(values) if self._is_untold(_at(texts, place), value)
        ]

    def _is_untold(self, text: str, value: object) -> bool:
        if isinstance(value, bool):
            return not text  # only a format hides it
        return isinstance(value, float | int) and not self._tells(text, value)

    @cached_property
    def _tells(self) -> Callable[[str, float], bool]:
        try:
            convention = Convention(locale=self.locale)
        except ValueError:  # the engine refuses it
            convention = Convention()
        return lru_cache(REMEMBERED)(partial(tells, convention))

    def _in_parts(
        self,
        ask: Callable[[Sequence[Cells]], list[T]],
        join: Callable[[T, T, int], T],
        ranges: Sequence[Cells],
    ) -> list[T]:
        """Ask for ranges at once, or in parts where the answer would be too large."""
        try:
            return ask(ranges)
        except SyncError as error:
            self._ask_for_less(ranges[0].rows if len(ranges) == 1 else range(2), error)
        half = partial(self._in_parts, ask, join)
        if len(ranges) > 1:
            middle = len(ranges) // 2
            return [*half(ranges[:middle]), *half(ranges[middle:])]
        (cells,) = ranges
        height = len(cells.rows) // 2
        upper = Cells(cells.title, cells.rows[:height], cells.columns)
        lower = Cells(cells.title, cells.rows[height:], cells.columns)
        [above], [below] = half([upper]), half([lower])
        return [join(above, below, height)]

    def _ask_for_less(self, rows: range, error: SyncError) -> None:
        """Raise whatever is no reason to ask for less."""
        if error.code != TOO_LARGE:
            raise error
        if len(rows) == 1:
            limit = f"{LARGEST_BODY >> 20} MB"
            raise SyncError("cell_too_large", name=self.name, row=rows[0], limit=limit) from error

    def _contradiction(self, block: Block, column: int, place: int) -> SyncError:
        cell = rowcol_to_a1(block.rows[place], column + 1)
        return SyncError("google_contradicts", name=self.name, cell=cell)


def _by_column(ranges: Sequence[Cells], found: Sequence[Columns]) -> dict[int, list[Any]]:
    return {
        column: values
        for cells, columns in zip(ranges, found, strict=False)  # nothing where nobody asked
        for column, values in zip(cells.columns, columns, strict=True)
    }


def _at(texts: Sequence[str], place: int) -> str:
    return texts[place] if place < len(texts) else ""


def _runs(columns: Sequence[int]) -> Iterator[range]:
    """Group columns that stand side by side: Google counts and answers ranges."""
    start = None
    for place, column in enumerate(columns):
        start = column if start is None else start
        if place + 1 == len(columns) or columns[place + 1] != column + 1:
            yield range(start, column + 1)
            start = None


def _below(above: Columns, below: Columns, height: int) -> Columns:
    """Put columns under others that stand for so many rows."""
    return [
        [*upper, *[""] * (height - len(upper)), *lower] if lower else upper
        for upper, lower in zip(above, below, strict=True)
    ]


def _after(above: list[Format], below: list[Format], _height: int) -> list[Format]:
    return above + below


def _sum(above: int, below: int, _height: int) -> int:
    return above + below
