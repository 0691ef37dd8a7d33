"""Cells: trimmed and tidied before a field sees them, and judged a column at a time."""

from __future__ import annotations  # those that name Polars load none of it

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sync_core.catalogue.fields import shown_errors
from sync_core.catalogue.fields.polars_later import pl

# What Unicode calls white space, and the zero-width and direction marks that come with copied text.
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
UNSEEN = "\xad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)))
)
_PLAIN = str.maketrans(dict.fromkeys(WHITE, " ") | dict.fromkeys(UNSEEN, ""))

# Printable ASCII without a blank at either end, or an apostrophe or = in front: nothing to tidy.
_TIDY = r"^[!-&(-<>-~](?:[ -~]*[!-~])?$"
# ="00123": how a CSV keeps zeros in Excel.
_KEPT_AS_TEXT = r'^="((?:[^"]|"")*)"$'
# The apostrophe that makes a spreadsheet take a number, a date or a formula as text. That of 'Ewa,
# of '90s and of a text 'in quotes' was meant.
_FORCED = r"^'('*(?:[^'\p{L}]*|[=+@-][^']*))$"

# What UTF-8 looks like where it is taken for Windows-1252, or a letter that could not be read.
_LATER = "\x80-\xbf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
_LATER += "\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
_DAMAGED = (
    rf"\ufffd|\u00ef\u00bb\u00bf|[\u00c2\u00c3\u00c4\u00c5][{_LATER}]|\u00e2\u20ac[{_LATER}]"
    rf"|(?:[\u00d0\u00d1][{_LATER}]){{2}}"
)

CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"  # a tab or a line break may stand in a text
_CONTROL = re.compile(f"[{CONTROL}]")


@dataclass(frozen=True)
class Cell:
    """Expressions of one column: the text as people see it, and what is under it if known."""

    text: pl.Expr  # String; already trimmed and cleaned, null where blank
    number: pl.Expr | None = None  # Float64; null where the cell holds no number
    format: pl.Expr | None = None  # String: a `NumberFormat` or null; given wherever numbers are
    boolean: pl.Expr | None = None  # Boolean; null where the cell holds no truth value

    def is_text_like(self, pattern: str) -> pl.Expr:
        """Return whether a cell holds no number, and its text matches."""
        like = self.text.str.contains(pattern)
        return like if self.number is None else like & self.number.is_null()


@dataclass(frozen=True)
class Reading:
    """Expressions of what a field made of a cell: a value, or a code of what is wrong."""

    value: pl.Expr  # String as Postgres reads it for the SQL type; null where blank or wrong
    code: pl.Expr  # String; null where nothing is wrong


class CellError(Exception):
    """A cell says nothing that its field can read; the code names why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class BlankError(Exception):
    """A cell says that there is nothing: it counts as a blank one."""


# texts -> values, null where it is not sure
Shortcut: TypeAlias = "Callable[[pl.Series], pl.Series]"


def clean(column: pl.Series, *, tidy: bool = False) -> pl.Series:
    """Trim a column of strings, compose its accents (NFC), and make blank cells null.

    Of a `tidy` column it is known that only blank cells may have to change.
    """
    filled = keep(column, column != "")
    if tidy:
        return filled
    untidy = (~filled.str.contains(_TIDY)).arg_true()
    if untidy.is_empty():
        return filled
    return filled.clone().scatter(untidy, _tidied(filled.gather(untidy)))


def _tidied(cells: pl.Series) -> pl.Series:
    trimmed = cells.str.strip_chars(WHITE + UNSEEN).str.normalize("NFC")
    bare = trimmed.str.replace(_FORCED, "${1}")
    kept = trimmed.str.contains(_KEPT_AS_TEXT)
    if kept.any():
        inside = trimmed.str.replace(_KEPT_AS_TEXT, "${1}")
        bare = inside.str.replace_all('""', '"', literal=True).zip_with(kept, bare)
    bare = bare.str.strip_chars(WHITE + UNSEEN)
    return keep(bare, bare != "")


def protected(text: str) -> str:
    """Return a text out of which cleaning makes this one, which no spreadsheet has written."""
    seen = text.strip(WHITE + UNSEEN)
    return f"'{seen}" if _is_forced(seen) or re.fullmatch(_KEPT_AS_TEXT, seen) else text


def _is_forced(text: str) -> bool:
    """Return whether cleaning takes an apostrophe off, as `_FORCED` says for columns."""
    rest = text.lstrip("'")
    forced = rest.startswith(("=", "+", "@", "-")) or not any(map(str.isalpha, rest))
    return text.startswith("'") and "'" not in rest and forced


def damaged(texts: pl.Series) -> pl.Series:
    """Return the indices of the cells that have lost letters in an export, such as CafÃ©."""
    if texts.str.len_bytes().sum() == texts.str.len_chars().sum():  # nothing but ASCII
        return pl.Series(dtype=pl.UInt32)
    return texts.str.contains(_DAMAGED).arg_true()


def plain(text: str) -> str:
    """Make every kind of blank a space, and drop what nobody sees."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_PLAIN)


def keep(values: pl.Series, wanted: pl.Series) -> pl.Series:
    """Make all values null but the wanted ones."""
    if wanted.all():
        return values
    return values.zip_with(wanted, pl.Series([None], dtype=values.dtype))


def matching(texts: pl.Series, pattern: str) -> pl.Series:
    """Make all texts null but those that match."""
    return keep(texts, texts.str.contains(pattern))


def without(texts: pl.Series, characters: str) -> pl.Series:
    """Take characters out of texts, one kind after the other: faster than a pattern of all."""
    for character in characters:
        texts = texts.str.replace_all(character, "", literal=True)
    return texts


def first_of(shortcuts: Sequence[Shortcut], texts: pl.Series) -> pl.Series:
    """Return each text the value of the first shortcut that is sure of it, else null."""
    if not shortcuts:
        return nothing(len(texts))
    values = shortcuts[0](texts)
    if values.null_count() == len(texts):
        return first_of(shortcuts[1:], texts)
    left = (values.is_null() & texts.is_not_null()).arg_true()
    if left.is_empty():
        return values
    return values.scatter(left, first_of(shortcuts[1:], texts.gather(left)))


def nothing(rows: int) -> pl.Series:
    """Make a column of nulls."""
    return pl.repeat(None, rows, dtype=pl.String, eager=True)


def refuse_unreadable(text: str) -> None:
    """Raise where a cell shows a spreadsheet's error, or holds what Postgres cannot."""
    if shown_errors.is_error(text):
        raise CellError("formula_error")
    if shown_errors.is_too_narrow(text):
        raise CellError("too_narrow")
    if _CONTROL.search(text):
        raise CellError("control_character")
