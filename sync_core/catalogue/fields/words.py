"""Fields of words: free text, one of a list of words, yes or no, and currencies."""

from __future__ import annotations  # those that name Polars load none of it

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa

from sync_core.catalogue.fields import placeholders, shown_errors, truth_words
from sync_core.catalogue.fields.amounts import EXACT, plain_number
from sync_core.catalogue.fields.cells import (
    CONTROL,
    UNSEEN,
    WHITE,
    BlankError,
    Cell,
    CellError,
    Reading,
    Shortcut,
    keep,
    matching,
    plain,
)
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.currencies import currencies
from sync_core.catalogue.fields.field import Field
from sync_core.catalogue.fields.number_formats import NumberCell, NumberFormat, kind
from sync_core.catalogue.fields.polars_later import pl
from sync_core.catalogue.fields.truth_words import folded

KEY_LENGTH = 200  # characters; several such columns still fit an entry of a b-tree

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# What Unicode asks programs not to show, beside `UNSEEN`.
_IGNORABLE = UNSEEN + "".join(
    f"{chr(first)}-{chr(last)}"
    for first, last in (
        (0x034F, 0x034F),
        (0x115F, 0x1160),
        (0x17B4, 0x17B5),
        (0x180B, 0x180F),
        (0x206A, 0x206F),
        (0x3164, 0x3164),
        (0xFE00, 0xFE0F),
        (0xFFA0, 0xFFA0),
        (0xFFF0, 0xFFFB),
        (0xE0000, 0xE0FFF),
    )
)
_IGNORED = re.compile(f"[{_IGNORABLE}]")
_UNCLEAR = rf"{CONTROL}{WHITE}{_IGNORABLE}{REPLACEMENT}"
_HARMLESS = rf"^[^#{CONTROL}][^{CONTROL}]*$"  # nor does it start like a spreadsheet's error
_CLEARLY_SEEN = rf"^[^#={_UNCLEAR}][^{_UNCLEAR}]*(?: [^{_UNCLEAR}]+)*$"
_EXPONENT = r"[-+]?[0-9](?:[.,][0-9]+)?E\+?[0-9]{2,}"  # as spreadsheets shorten long numbers
_LAST_DIGITS_LOST = r"[1-9][0-9]{14}00+"  # a spreadsheet keeps 15, and makes zeros of the rest
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_MONTHS_IN_GERMAN = "Jan|Feb|Mrz|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez"
# What spreadsheets make of codes such as 1-3, 2/9, SEPT2 and MAR1, and programs of that
_MADE_A_DATE = (
    rf"[0-9]{{1,2}}-(?:{_MONTHS})|(?:{_MONTHS})-[0-9]{{2}}"
    rf"|[0-9]{{2}}\. (?:{_MONTHS_IN_GERMAN})|(?:{_MONTHS_IN_GERMAN}) [0-9]{{2}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]00:00:00"
)
_MADE_ANOTHER = f"^(?:{_EXPONENT}|{_LAST_DIGITS_LOST}|{_MADE_A_DATE})$"
_DIGITS_LOST = re.compile(f"{_EXPONENT}|{_LAST_DIGITS_LOST}")
_A_DATE = re.compile(_MADE_A_DATE)
_ZEROS_IN_FRONT = re.compile(r"0[0-9 ]")
_NOT_THEMSELVES = sorted(shown_errors.WITHOUT_HASH | placeholders.SPELLINGS)
_LOOKS = {
    NumberFormat.PERCENT: "a percentage",
    NumberFormat.CURRENCY: "an amount of money",
    NumberFormat.SCIENTIFIC: "a number with an exponent",
    NumberFormat.DATE: "a date",
    NumberFormat.TIME: "a time of day",
    NumberFormat.DATE_TIME: "a date and a time of day",
    NumberFormat.DURATION: "a duration",
}


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    """Words as they stand: leading zeros, long digits and line breaks stay.

    What identifies a record is what people see: without invisible characters, with single blanks.
    """

    max_length: int = 1000  # characters

    formats = frozenset({NumberFormat.NUMBER, NumberFormat.TEXT})
    sql_type = sa.Text()

    @property
    def limit(self) -> int:
        """The most characters that a cell may have: fewer where they are indexed."""
        indexed = self.key or self.unique
        return min(self.max_length, KEY_LENGTH) if indexed else self.max_length

    @property
    def reads_numbers(self) -> bool:
        """Whether the number under a cell counts: a number that identifies is no matter of form."""
        return self.identifies

    def may_say_nothing(self, text: str) -> bool:
        """Return whether a text such as n/a counts as a blank cell."""
        return super().may_say_nothing(text) and text.lower() not in placeholders.NAMES

    def facts(
        self, _text: str, convention: Convention, cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the limit, and what a number is shown as."""
        looks = kind(cell, convention) if cell else None
        return {
            "limit": self.limit,
            "looks": _LOOKS.get(looks, "something else") if looks else "a date",
            "wanted": "a plain number",
            "hint": "",
        }

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep short texts that cannot mean anything but themselves."""
        return (self._harmless,)

    def _harmless(self, texts: pl.Series) -> pl.Series:
        fine = (texts.str.len_bytes() <= self.limit) & ~texts.is_in(_NOT_THEMSELVES)
        if self.identifies:
            fine &= texts.str.contains(_CLEARLY_SEEN) & ~texts.str.contains(_MADE_ANOTHER)
        else:
            fine &= texts.str.contains(_HARMLESS)
        return keep(texts, fine)

    def parse(self, text: str, _convention: Convention) -> str:
        """Keep the text, unless it is too long, or identifies and is not what was typed."""
        kept = _as_people_see_it(text) if self.identifies else text
        if not kept:
            raise BlankError
        if len(kept) > self.limit:
            raise CellError("too_long")
        return kept

    def read_numbers(
        self, numbers: pl.Series, texts: pl.Series, formats: pl.Series, _convention: Convention
    ) -> pl.Series:
        """Read numbers that are shown as plain digits."""
        digits = matching(texts, "^[0-9]{1,15}$")
        same = (digits.cast(pl.Float64) == numbers).fill_null(value=False)
        return keep(digits, same & (formats.is_null() | formats.is_in(list(self.formats))))

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read a number that identifies: 1001, whether it is shown as 1001, 1,001 or 1001.00.

        What shows zeros in front, or more than a number, is what people see: 00123, LOC-7.
        """
        if cell.text is None:
            raise CellError("hidden_part") if cell.number else BlankError
        seen = kind(cell, convention)
        if seen not in {None, *self.formats}:
            raise CellError("shown_as_another")
        if abs(cell.number) > EXACT:
            raise CellError("digits_lost")
        if seen is NumberFormat.NUMBER and not _ZEROS_IN_FRONT.match(cell.text):
            return self.parse(plain_number(cell, convention), convention)
        return self.parse(cell.text, convention)


def _as_people_see_it(text: str) -> str:
    """Take away what nobody sees. Raises CellError where a spreadsheet has damaged the text."""
    seen = unicodedata.normalize("NFC", _IGNORED.sub("", " ".join(plain(text).split())))
    if REPLACEMENT in seen:
        raise CellError("damaged_text")
    if seen.startswith("="):
        raise CellError("formula_shown")
    if _DIGITS_LOST.fullmatch(seen):
        raise CellError("digits_lost")
    if _A_DATE.fullmatch(seen):
        raise CellError("shown_as_another")
    return " ".join(seen.split())


@dataclass(frozen=True, kw_only=True)
class Verbatim(Field):
    """Words that another system keeps, as they are: never refused, however odd they look.

    Of control characters, which Postgres or COPY may not take, it keeps the place.
    """

    sql_type = sa.Text()

    def may_say_nothing(self, _text: str) -> bool:
        """Return False: every text is kept."""
        return False

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

    fills_rows = False
    sql_type = sa.Text()

    def __post_init__(self) -> None:
        if strangers := set(self.synonyms.values()) - set(self.options):
            message = f"{self.label}: synonyms of {sorted(strangers)}, which are no options."
            raise ValueError(message)

    def may_say_nothing(self, text: str) -> bool:
        """Return whether a text such as none counts as a blank cell: unless it is an option."""
        return super().may_say_nothing(text) and folded(text) not in self._meanings

    def facts(
        self, _text: str, _convention: Convention, _cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the words to choose from."""
        return {"options": ", ".join(self.options)}

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep words that stand exactly so in the list."""
        return (lambda texts: keep(texts, texts.is_in(self.options)),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Find the word that is meant."""
        return _lookup(self._meanings, folded(text), "unknown_choice")

    @cached_property
    def _meanings(self) -> dict[str, str]:
        words = [*self.synonyms.items(), *zip(self.options, self.options, strict=True)]
        return {folded(word): option for word, option in words}


@dataclass(frozen=True, kw_only=True)
class YesNo(Field):
    """Yes or no, in words, figures or ticks."""

    default: bool | None = None  # what a blank cell means

    fills_rows = False
    sql_type = sa.Boolean()

    @property
    def wants_more_than_texts(self) -> bool:
        """Whether a source should hand over what is under the cells: a checkbox's truth value."""
        return True

    def may_say_nothing(self, _text: str) -> bool:
        """Return False: a dash may mean no as well as nothing."""
        return False

    def read(self, cell: Cell, convention: Convention) -> Reading:
        """Judge a cleaned cell; a truth value under it wins, and a blank one means the default."""
        value, code = (reading := super().read(cell, convention)).value, reading.code
        if cell.boolean is not None:
            value = pl.coalesce(cell.boolean.cast(pl.String), value)
            code = pl.when(cell.boolean.is_null()).then(code)
        if self.default is not None:
            default = pl.when(cell.text.is_null()).then(pl.lit(str(self.default).lower()))
            value = pl.coalesce(value, default)
        return Reading(value, code)

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Look up the usual spellings."""
        spellings = {
            spelt: meaning
            for word, meaning in truth_words.meanings(convention.language).items()
            for spelt in (word, word.upper(), word.capitalize())
        }
        return (
            lambda texts: texts.replace_strict(spellings, default=None, return_dtype=pl.String),
        )

    def parse(self, text: str, convention: Convention) -> str:
        """Find what is meant in English or the locale's language, whatever its capitals."""
        # U+FE0F asks for a tick's coloured form.
        meanings = truth_words.meanings(convention.language)
        return _lookup(meanings, folded(text).rstrip("\ufe0f"), "not_yes_or_no")


@dataclass(frozen=True, kw_only=True)
class Currency(Field):
    """The ISO 4217 code of a currency in use."""

    fills_rows = False
    sql_type = sa.Text()

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep codes in capitals."""
        return (lambda texts: keep(texts, texts.is_in(currencies())),)

    def parse(self, text: str, _convention: Convention) -> str:
        """Find the code, whatever its capitals."""
        codes = {code: code for code in currencies()}
        return _lookup(codes, plain(text).strip().upper(), "unknown_currency")


def _lookup(meanings: Mapping[str, str], word: str, code: str) -> str:
    if word not in meanings:
        raise CellError(code)
    return meanings[word]
