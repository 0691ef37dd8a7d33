"""Fields of words: free text, one of a list of words, yes or no, and currencies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import polars as pl
import sqlalchemy as sa

from sync_core.catalogue.fields.cells import (
    CONTROL,
    Cell,
    CellError,
    Reading,
    Shortcut,
    keep,
    plain,
)
from sync_core.catalogue.fields.convention import Convention, currencies
from sync_core.catalogue.fields.field import Field

KEY_LENGTH = 200  # characters; several such columns still fit an entry of a b-tree

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_HARMLESS = rf"^[^#{CONTROL}][^{CONTROL}]*$"  # nor does it start like a spreadsheet's error


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Words as they stand: leading zeros, long digits and line breaks stay."""

    max_length: int = 1000  # characters

    sql_type = sa.Text()

    @property
    def limit(self) -> int:
        """The most characters that a cell may have: fewer where they are indexed."""
        indexed = self.key or self.unique
        return min(self.max_length, KEY_LENGTH) if indexed else self.max_length

    def facts(self, _text: str, _convention: Convention) -> dict[str, object]:
        """Return the limit."""
        return {"limit": self.limit}

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep short texts that cannot be a spreadsheet's error."""
        return (self._harmless,)

    def _harmless(self, texts: pl.Series) -> pl.Series:
        short = texts.str.len_bytes() <= self.limit
        return keep(texts, short & texts.str.contains(_HARMLESS) & (texts != "Loading..."))

    def parse(self, text: str, _convention: Convention) -> str:
        """Keep the text, unless it is too long."""
        if len(text) > self.limit:
            raise CellError("too_long")
        return text


@dataclass(frozen=True, kw_only=True)
class Verbatim(Field):
    """Words that another system keeps, as they are: never refused, however odd they look.

    Of control characters, which Postgres or COPY may not take, it keeps the place.
    """

    sql_type = sa.Text()

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep every text."""
        return (lambda texts: texts.str.replace_all(f"[{CONTROL}]", REPLACEMENT),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Keep the text."""
        return re.sub(f"[{CONTROL}]", REPLACEMENT, text)


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    """One of a few words, whatever its capitals, blanks and hyphens; kept as the list has it."""

    options: tuple[str, ...]
    synonyms: Mapping[str, str] = field(default_factory=dict, hash=False)  # {"Mon": "Monday"}

    sql_type = sa.Text()

    def __post_init__(self) -> None:
        if strangers := set(self.synonyms.values()) - set(self.options):
            message = f"{self.label}: synonyms of {sorted(strangers)}, which are no options."
            raise ValueError(message)

    def facts(self, _text: str, _convention: Convention) -> dict[str, object]:
        """Return the words to choose from."""
        return {"options": ", ".join(self.options)}

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep words that stand exactly so in the list."""
        return (lambda texts: keep(texts, texts.is_in(self.options)),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Find the word that is meant."""
        return _lookup(self._meanings, _folded(text), "unknown_choice")

    @cached_property
    def _meanings(self) -> dict[str, str]:
        words = [*self.synonyms.items(), *zip(self.options, self.options, strict=True)]
        return {_folded(word): option for word, option in words}


@dataclass(frozen=True, kw_only=True)
class YesNo(Field):
    """Yes or no, in words, figures or ticks."""

    default: bool | None = None  # what a blank cell means

    sql_type = sa.Boolean()

    _MEANINGS: ClassVar[dict[str, str]] = {  # an x is left out: it may mean either
        **dict.fromkeys("true yes y t on 1 ✓ ✔ ☑ ✅".split(), "true"),
        **dict.fromkeys("false no n f off 0 ✗ ✘ ☐ ❌".split(), "false"),
    }

    def read(self, cell: Cell, convention: Convention) -> Reading:
        """Judge a cleaned cell; a blank one means the default."""
        reading = super().read(cell, convention)
        if self.default is None:
            return reading
        default = pl.when(cell.text.is_null()).then(pl.lit(str(self.default).lower()))
        return Reading(pl.coalesce(reading.value, default), reading.code)

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Look up the usual spellings."""
        spellings = {
            spelt: meaning
            for word, meaning in self._MEANINGS.items()
            for spelt in (word, word.upper(), word.capitalize())
        }
        return (
            lambda texts: texts.replace_strict(spellings, default=None, return_dtype=pl.String),
        )

    def parse(self, text: str, _convention: Convention) -> str:
        """Find what is meant, whatever its capitals."""
        # U+FE0F asks for a tick's coloured form.
        return _lookup(self._MEANINGS, _folded(text).rstrip("\ufe0f"), "not_yes_or_no")


@dataclass(frozen=True, kw_only=True)
class Currency(Field):
    """The ISO 4217 code of a currency in use."""

    sql_type = sa.Text()

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep codes in capitals."""
        return (lambda texts: keep(texts, texts.is_in(currencies())),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Find the code, whatever its capitals."""
        codes = {code: code for code in currencies()}
        return _lookup(codes, plain(text).strip().upper(), "unknown_currency")


def _folded(text: str) -> str:
    """Take away what does not matter in a word: capitals, blanks, hyphens."""
    return "".join(plain(text).casefold().replace("-", " ").replace("_", " ").split())


def _lookup(meanings: Mapping[str, str], word: str, code: str) -> str:
    if word not in meanings:
        raise CellError(code)
    return meanings[word]
