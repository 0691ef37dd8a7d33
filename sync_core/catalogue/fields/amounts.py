"""Fields of amounts: whole numbers, any numbers, and money, exact to the last digit."""

from __future__ import annotations  # those that name Polars load none of it

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from math import isfinite

import sqlalchemy as sa

from sync_core.catalogue.fields.cells import (
    BlankError,
    Cell,
    CellError,
    Shortcut,
    keep,
    matching,
    plain,
    without,
)
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.currencies import A_DOLLAR
from sync_core.catalogue.fields.field import NEUTRAL, Field
from sync_core.catalogue.fields.number_formats import (
    NumberCell,
    NumberFormat,
    Shown,
    by_digits,
    gap,
    is_harmless,
    kind,
    place_of,
)
from sync_core.catalogue.fields.polars_later import pl

DIGITS = 100  # of a number at most; Postgres takes more, but nobody means them
LONGEST = 1000  # characters that are looked at; the smallest float has 327
BIGINT = 2**63
BIGINT_DIGITS = len(str(BIGINT))
EXACT = 2**53  # a spreadsheet's whole numbers have lost digits from here on
MONEY_DIGITS = 12  # before the decimal point of numeric(14,2)
MONEY_DECIMALS = 2
MOST_MONEY = f"{10**MONEY_DIGITS - 1:,}.{'9' * MONEY_DECIMALS}"

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"
_TYPED = str.maketrans(dict.fromkeys(_DASHES, "-") | {"\u2019": "'"})
_AMOUNT = re.compile(
    r"([^-+(.,'0-9 ]*(?:\.(?= ))?) *([-+(.,'0-9](?:.*?[)0-9-])?[.,]?) *([^-)0-9 ]*)"
)
_MINUS_AT_THE_END = re.compile(r".*[.,][0-9]{1,2}-")  # 5- may mean 5.00, or from 5 on
_NO_CENTS = re.compile(r"(?P<whole>[0-9][0-9 '.,]*)(?P<mark>[.,])-{1,2}(?![0-9])")
_ACCOUNTING_ZERO = re.compile(r"([^-0-9 ]*) *- *([^-0-9 ]*)")
_OF_THE_AMOUNT = rf"[-+0-9.,'()\s\u2019{_DASHES}]+"
_ONE_MARK = r"^[^0-9%]*[1-9][0-9]{0,2}[.,][0-9]{3}[^0-9%]*$"  # 1.250 or 1,250
_LIKE_A_NUMBER = frozenset("0123456789.,' ")
_PLAIN = frozenset({NumberFormat.NUMBER, NumberFormat.TEXT, NumberFormat.SCIENTIFIC})


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    """A whole number."""

    minimum: int | None = None
    maximum: int | None = None

    formats = _PLAIN
    sql_type = sa.BigInteger()

    def facts(
        self, text: str, convention: Convention, cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the range, and how numbers are written here."""
        low, high = self.minimum, self.maximum
        if len(re.sub("[^0-9]", "", text)) >= BIGINT_DIGITS or low is high is None:
            low, high = (-BIGINT if low is None else low), (BIGINT - 1 if high is None else high)
        hint = _hint(text, convention) or _read_as(text, convention, cell)
        return {"wanted": "a whole number", "range": _range(low, high, ""), "hint": hint}

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Keep plain digits; take the marks out of 1,234."""
        ungrouped = _ungrouped(convention, decimals=0)
        return self._digits, lambda texts: self._digits(ungrouped(texts))

    def _digits(self, texts: pl.Series) -> pl.Series:
        digits = matching(texts, r"^(?:0|-?[1-9][0-9]{0,17})$")
        return _within(digits, pl.Int64(), self.minimum, self.maximum)

    def parse(self, text: str, convention: Convention) -> str:
        """Read a number without decimals."""
        digits = _written(_decimal(text, _whole_or_part(convention)))
        if "." in digits:
            raise CellError("not_a_number")
        if len(digits) > DIGITS or not -BIGINT <= int(digits) < BIGINT:
            raise CellError("out_of_range")
        _refuse_outside(Decimal(digits), self.minimum, self.maximum)
        return digits

    def doubtful(self, cell: Cell, _convention: Convention) -> pl.Expr | None:
        """Return whether the one mark of a number might part decimals, or thousands."""
        return cell.is_text_like(_ONE_MARK)

    def shows(self, text: str, convention: Convention) -> str | None:
        """Say how numbers seem to be written, where a refused text can be read in that way."""
        return _shows(self, text, convention)

    def read_numbers(
        self, numbers: pl.Series, texts: pl.Series, formats: pl.Series, convention: Convention
    ) -> pl.Series:
        """Read the numbers that are exact."""
        exact = keep(numbers, numbers.abs() <= EXACT)
        return super().read_numbers(exact, texts, formats, convention)

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read a number that is exact, as people see it."""
        if isfinite(cell.number) and abs(cell.number) > EXACT:
            raise CellError("digits_lost")
        read = partial(_decimal, grammar=_any_number(convention))
        return self.parse(_all_shown(cell, _shown(cell, self.formats, convention, read)), NEUTRAL)


@dataclass(frozen=True, kw_only=True)
class Number(Field):
    """Any decimal number; 12.5% is 0.125."""

    minimum: float | Decimal | None = None
    maximum: float | Decimal | None = None

    formats = _PLAIN | {NumberFormat.PERCENT}
    sql_type = sa.Numeric()

    def facts(
        self, text: str, convention: Convention, cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the range, and how numbers are written here."""
        bounds = _range(self.minimum, self.maximum, otherwise=f"shorter than {DIGITS} digits")
        hint = _hint(text, convention) or _read_as(text, convention, cell)
        return {"wanted": "a number", "range": bounds, "hint": hint}

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Keep plain decimals; take marks, and zeros at the end, out of 1,234.50."""
        ungrouped = _ungrouped(convention, decimals=9)
        tidied = lambda texts: self._decimals(_without_last_zeros(ungrouped(texts)))  # noqa: E731
        return (self._decimals, tidied) if convention.decimal_mark == "." else (tidied,)

    def _decimals(self, texts: pl.Series) -> pl.Series:
        # Up to 15 digits, so that comparing floats is comparing the decimals themselves.
        decimals = matching(
            texts, r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,5})\.[0-9]{0,8}[1-9])$"
        )
        return _within(decimals, pl.Float64(), self.minimum, self.maximum)

    def parse(self, text: str, convention: Convention) -> str:
        """Read a number, a percentage, or a number with an exponent."""
        number = _decimal(text, _any_number(convention))
        digits = _written(number)
        if len(digits) > DIGITS:
            raise CellError("out_of_range")
        _refuse_outside(number, self.minimum, self.maximum)
        return digits

    def doubtful(self, cell: Cell, _convention: Convention) -> pl.Expr | None:
        """Return whether the one mark of a number might part decimals, or thousands."""
        return cell.is_text_like(_ONE_MARK)

    def shows(self, text: str, convention: Convention) -> str | None:
        """Say how numbers seem to be written, where a refused text can be read in that way."""
        return _shows(self, text, convention)

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read a number, which may have more decimals than people see."""
        read = partial(_decimal, grammar=_any_number(convention))
        shown = _shown(cell, self.formats, convention, read)
        if not is_harmless(cell, shown) and gap(cell, shown) < shown.place:
            return self.parse(format(Decimal(f"{cell.number:.15g}"), "f"), NEUTRAL)
        return self.parse(_all_shown(cell, shown), NEUTRAL)


@dataclass(frozen=True, kw_only=True)
class Money(Field):
    """An amount of money with two decimals; a currency beside it must be the row's."""

    currency: str | None = None  # label of the field that names the currency, if there is one

    formats = _PLAIN | {NumberFormat.CURRENCY}
    sql_type = sa.Numeric(MONEY_DIGITS + MONEY_DECIMALS, MONEY_DECIMALS)

    def facts(
        self, text: str, convention: Convention, _cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the range, and how numbers are written here."""
        bounds = f"between -{MOST_MONEY} and {MOST_MONEY}"
        return {"wanted": "a number", "range": bounds, "hint": _hint(text, convention)}

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Keep 95.50; make it of 95, 95.5 and $1,234.50."""
        ungrouped = _ungrouped(convention, decimals=MONEY_DECIMALS, symbol="$")
        padded = lambda texts: _with_two_decimals(ungrouped(texts))  # noqa: E731
        return (_two_decimals, padded) if convention.decimal_mark == "." else (padded,)

    def parse(self, text: str, convention: Convention) -> str:
        """Read an amount, with or without its currency; an accountant's $ - is zero."""
        number = _money(text, convention)
        whole, _, part = _written(number).partition(".")
        if len(part) > MONEY_DECIMALS:
            raise CellError("too_many_decimals")
        if len(whole.removeprefix("-")) > MONEY_DIGITS:
            raise CellError("out_of_range")
        return f"{whole}.{part:0<{MONEY_DECIMALS}}"

    def doubtful(self, cell: Cell, _convention: Convention) -> pl.Expr | None:
        """Return whether the one mark of a number might part decimals, or thousands."""
        return cell.is_text_like(_ONE_MARK)

    def shows(self, text: str, convention: Convention) -> str | None:
        """Say how numbers seem to be written, where a refused text can be read in that way."""
        return _shows(self, text, convention)

    def parse_number(self, cell: NumberCell, convention: Convention) -> str:
        """Read an amount as people see it."""
        read = partial(_money, convention=convention)
        return self.parse(_all_shown(cell, _shown(cell, self.formats, convention, read)), NEUTRAL)

    def is_foreign(self, text: pl.Expr, convention: Convention) -> pl.Expr:
        """Return whether another currency stands beside an amount than what people pay in here."""

        def foreign(texts: pl.Series) -> pl.Series:
            own, marks = convention.own_currencies, _marks(texts)
            codes = {mark: convention.currency_codes(mark) for mark in marks.unique().drop_nulls()}
            return marks.is_in([mark for mark, known in codes.items() if known and not known & own])

        return text.map_batches(foreign, pl.Boolean, is_elementwise=True)

    def is_other(self, text: pl.Expr, code: pl.Expr, convention: Convention) -> pl.Expr:
        """Return whether another currency stands beside an amount than `code` names."""

        def other(columns: Sequence[pl.Series]) -> pl.Series:
            pairs = pl.DataFrame([_marks(columns[0]).alias("mark"), columns[1].alias("code")])
            found = [
                (mark, code)
                for mark, code in pairs.unique().drop_nulls().iter_rows()
                if code not in (convention.currency_codes(mark) or {code})
            ]
            wrong = pl.DataFrame(found, pairs.schema, orient="row").with_columns(wrong=pl.lit(1))
            joined = pairs.join(wrong, ["mark", "code"], "left", maintain_order="left")
            return joined["wrong"].is_not_null()

        return pl.map_batches([text, code], other, pl.Boolean, is_elementwise=True)


# What may mean something else where people write otherwise


def _shows(field: Field, text: str, convention: Convention) -> str | None:
    """Say how numbers seem to be written, where a text can be read so and in no other way."""
    marks = "de_DE" if convention.decimal_mark == "." else "en_US"
    other = Convention(convention.country, marks)
    with suppress(CellError):
        field.parse(text, convention)
        return None
    with suppress(CellError):
        field.parse(text, other)
        fix = f"write them like {_example(convention)}, or set the source's locale"
        return f"numbers like {_example(other)}; {fix}"
    return None


# Columns at once


def _two_decimals(texts: pl.Series) -> pl.Series:
    return matching(texts, r"^(?:0|-?[1-9][0-9]{0,11})\.[0-9]{2}$")


def _with_two_decimals(texts: pl.Series) -> pl.Series:
    exact = pl.Decimal(MONEY_DIGITS + MONEY_DECIMALS, MONEY_DECIMALS)
    return texts.cast(exact, strict=False).cast(pl.String)


def _without_last_zeros(texts: pl.Series) -> pl.Series:
    stripped = texts.str.strip_chars_end("0").str.strip_suffix(".")
    return stripped.zip_with(texts.str.contains(".", literal=True), texts)


def _ungrouped(convention: Convention, decimals: int, symbol: str = "") -> Shortcut:
    """Make 1234.50 of 1,234.50 or of what stands for it in the locale; the rest null."""
    point, mark = re.escape(convention.decimal_mark), _kin(convention.group_mark)
    part = rf"(?:{point}[0-9]{{1,{decimals}}})?" if decimals else ""
    before = rf"-?(?:{re.escape(symbol)})?"
    whole = rf"(?:[1-9][0-9]{{0,2}}(?:[{mark}][0-9]{{3}})+|[0-9]+)"
    pattern = f"^{before}{whole}{part}$"

    def ungrouped(texts: pl.Series) -> pl.Series:
        bare = without(matching(texts, pattern), symbol + mark)
        if convention.decimal_mark == ".":
            return bare
        return bare.str.replace(convention.decimal_mark, ".", literal=True)

    return ungrouped


def _within(
    texts: pl.Series, kind: pl.DataType, low: float | Decimal | None, high: float | Decimal | None
) -> pl.Series:
    """Keep the numbers within their bounds."""
    if low is None and high is None:
        return texts
    numbers = texts.cast(kind)
    above = numbers >= (numbers if low is None else low)
    return keep(texts, above & (numbers <= (numbers if high is None else high)))


def _marks(texts: pl.Series) -> pl.Series:
    """Return what stands beside each amount; null where nothing does."""
    marks = texts.str.replace_all(_OF_THE_AMOUNT, "")
    return keep(marks, marks != "")


# One text at a time


def _decimal(
    text: str, grammar: re.Pattern[str], currencies: frozenset[str] | None = None
) -> Decimal:
    """Read a number with its sign, wherever people write that: -5, 5.00-, (5), -$5, $(5)."""
    if len(text) > LONGEST:
        raise CellError("not_a_number")
    sign, rest = _signed(_typed(text))
    if currencies and (bare := _without_currency(rest, currencies)):
        sign, rest = (sign, bare) if sign else _signed(bare)
    if not (parts := grammar.fullmatch(rest)):
        raise CellError("not_a_number")
    digits = re.sub(r"[^0-9]", "", parts["whole"] or "0")
    shift = int(parts["exponent"] or 0) - (2 if parts["percent"] else 0)
    return Decimal(f"{sign}{digits}.{parts['part'] or ''}E{shift}")


def _money(text: str, convention: Convention) -> Decimal:
    marks = convention.currency_marks
    zero = _ACCOUNTING_ZERO.fullmatch(_typed(text)) if len(text) <= LONGEST else None
    if zero and bool(zero[1]) != bool(zero[2]) and _is_currency(zero[1] or zero[2], marks):
        return Decimal(0)
    bare = _without_dash(_typed(text), convention.decimal_mark) if len(text) <= LONGEST else text
    return _decimal(bare, _whole_or_part(convention), marks)


def _without_dash(text: str, point: str) -> str:
    """Take the dash that stands for no cents off 95,- or 1.250,-, where it cannot be another."""
    found = _NO_CENTS.search(text)
    if not found or point in found["whole"]:
        return text
    if found["mark"] != point and not found["whole"].isdigit():
        return text
    return text[: found.start("mark")] + text[found.end() :]


def _typed(text: str) -> str:
    """Reduce the characters that people type for a minus or an apostrophe to one of each."""
    return plain(text).strip().translate(_TYPED)


def _without_currency(text: str, currencies: frozenset[str]) -> str:
    """Take the currency off the front or the end; give nothing where none is there."""
    found = _AMOUNT.fullmatch(text)
    before, amount, after = found.groups() if found else ("", "", "")
    known = not (before and after) and _is_currency(before or after, currencies)
    return amount if known else ""


def _is_currency(mark: str, currencies: frozenset[str]) -> bool:
    written = mark.upper()
    known = written in currencies or written.removesuffix(".") in currencies
    return known or bool(A_DOLLAR.fullmatch(written))


def _signed(text: str) -> tuple[str, str]:
    """Part a number from its sign."""
    if text.startswith("(") and text.endswith(")"):  # as accountants' formats show it
        return "-", text[1:-1].strip()
    if text.startswith(("-", "+")):
        return text[0], text[1:].strip()
    if _MINUS_AT_THE_END.fullmatch(text):
        return "-", text[:-1]
    return "", text


# A number under a text


def _shown(
    cell: NumberCell,
    formats: frozenset[str],
    convention: Convention,
    read: Callable[[str], Decimal],
) -> Shown:
    """Return what people see of a number. Raises CellError where that is no amount."""
    if cell.text is None:
        raise CellError("hidden_part") if cell.number else BlankError
    if not isfinite(cell.number) or kind(cell, convention) not in {None, *formats}:
        raise CellError("not_a_number")
    try:
        value = read(cell.text)
    except CellError:
        shown = by_digits(cell)
    else:
        shown = Shown(value, Decimal(1).scaleb(place_of(value)))
    if shown is None:
        raise CellError("not_a_number")
    return shown


def _all_shown(cell: NumberCell, shown: Shown) -> str:
    """Write a number of which people see everything. Raises CellError where they do not."""
    if not is_harmless(cell, shown):
        raise CellError("hidden_part")
    return format(shown.value, "f")


def _written(number: Decimal) -> str:
    """Write a number in one way only: no exponent, no zeros at its end, no minus zero."""
    digits = format(number, "f")
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def _refuse_outside(
    number: Decimal, low: float | Decimal | None, high: float | Decimal | None
) -> None:
    if low is not None and number < Decimal(str(low)):
        raise CellError("out_of_range")
    if high is not None and number > Decimal(str(high)):
        raise CellError("out_of_range")


def plain_number(cell: NumberCell, convention: Convention) -> str:
    """Write a number as people see it, but without marks and zeros that only its format adds.

    Raises CellError where they do not see all of it.
    """
    read = partial(_decimal, grammar=_whole_or_part(convention))
    shown = _shown(cell, _PLAIN, convention, read)
    digits = _written(Decimal(_all_shown(cell, shown)))
    return digits.replace(".", convention.decimal_mark)


# How numbers are written


@cache
def _whole_or_part(convention: Convention) -> re.Pattern[str]:
    """Return the grammar of 1234, 1,234.50, .5 and 5. in the convention's marks."""
    return re.compile(_digits(convention) + "(?P<exponent>)(?P<percent>)")


@cache
def _any_number(convention: Convention) -> re.Pattern[str]:
    """Return the same, with 12.5% and 1e-5."""
    exponent = r"(?:[eE](?P<exponent>[-+]?[0-9]{1,3}))?"
    return re.compile(_digits(convention) + exponent + r" ?(?P<percent>%)?")


def _digits(convention: Convention) -> str:
    # A group is never led by a zero: 0,123 was meant as a decimal comma.
    mark = f"[ '{re.escape(_simple(convention.group_mark))}]"
    threes = rf"[1-9][0-9]{{0,2}}(?P<mark>{mark})[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*"
    twos = r"|[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3}" if convention.groups_of_two else ""
    point = re.escape(convention.decimal_mark)
    return rf"(?={point}?[0-9])(?P<whole>{threes}{twos}|[0-9]+)?(?:{point}(?P<part>[0-9]*))?"


def _simple(mark: str) -> str:
    """Reduce a mark to the one that all its kin are read as."""
    return plain(mark).translate(_TYPED)


def _kin(mark: str) -> str:
    """Return the characters that are read as this mark, for a class of a pattern."""
    return {" ": " \xa0\u2009\u202f", "'": "'\u2019"}.get(_simple(mark), mark)


# What sentences name


def _range(low: float | Decimal | None, high: float | Decimal | None, otherwise: str) -> str:
    if low is None and high is None:
        return otherwise
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"


def _hint(text: str, convention: Convention) -> str:
    """Show how a number is written here, where a text looks like one of another convention."""
    if not _LIKE_A_NUMBER.issuperset(_simple(text).removeprefix("-")):
        return ""
    with suppress(CellError):
        _decimal(text, _any_number(convention))
        return ""
    other = "" if convention.locale else ", or set the source's locale"
    return f" (write it like {_example(convention)}{other})"


def _read_as(text: str, convention: Convention, cell: NumberCell | None) -> str:
    """Show what was read where people may have meant another number: 48,137 is 48137 here."""
    if cell or not re.search(_ONE_MARK, text):
        return ""
    with suppress(CellError):
        return f" (read as {_written(_decimal(text, _any_number(convention)))})"
    return ""


def _example(convention: Convention) -> str:
    return f"1{_simple(convention.group_mark)}234{convention.decimal_mark}50"
