"""Number formats of a workbook: what each makes people see of the number under a cell.

A format has up to four sections: for positive, negative and zero numbers, and for texts.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from sync_core.catalogue.fields import Convention
from sync_core.catalogue.source import NumberFormat
from sync_core.sources.files.xlsx.number_pattern import Pattern, Token, pattern

# What the reader's own computer decides, the short date above all, is written by ISO 8601.
BUILT_IN: Mapping[int, str] = {
    0: "General",
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"$"#,##0_);("$"#,##0)',
    6: '"$"#,##0_);[Red]("$"#,##0)',
    7: '"$"#,##0.00_);("$"#,##0.00)',
    8: '"$"#,##0.00_);[Red]("$"#,##0.00)',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    14: "yyyy-mm-dd",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 59)), "yyyy-mm-dd"),  # of East Asia
    **dict.fromkeys(range(32, 36), "h:mm:ss"),
    37: "#,##0_);(#,##0)",
    38: "#,##0_);[Red](#,##0)",
    39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)",
    41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_("$"* #,##0_);_("$"* (#,##0);_("$"* "-"_);_(@_)',
    43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_("$"* #,##0.00_);_("$"* (#,##0.00);_("$"* "-"??_);_(@_)',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
    49: "@",
}

LONGEST = 255  # characters of a code, as in Excel; more are not looked at

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<pad>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]?'
    r"|(?P<general>general)|(?P<half>am/pm|a/p)|(?P<exponent>e[+-])"
    r"|(?P<moment>y+|m+|d+|h+|s+(?:\.0+)?)|(?P<place>[0#?])|(?P<point>\.)|(?P<group>,)"
    r"|(?P<percent>%)|(?P<at>@)|(?P<end>;)|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[0-9]+(?:\.[0-9]+)?)")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_MARKS = Convention().currency_marks


@dataclass(frozen=True)
class Section:
    """The format of some of the numbers."""

    tokens: Sequence[Token]
    condition: tuple[str, float] | None  # such as [<100]

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of its tokens."""
        return frozenset(token.kind for token in self.tokens)

    @cached_property
    def is_fraction(self) -> bool:
        """Whether it writes a half as 1/2."""
        return "place" in self.kinds and Token("literal", "/") in self.tokens

    @cached_property
    def shows(self) -> NumberFormat:
        """What it makes people see."""
        if "elapsed" in self.kinds:
            return NumberFormat.DURATION
        if "moment" in self.kinds:
            return self._moment
        if "exponent" in self.kinds:
            return NumberFormat.SCIENTIFIC
        if "percent" in self.kinds:
            return NumberFormat.PERCENT
        if any(map(_is_currency, self.tokens)):
            return NumberFormat.CURRENCY
        return NumberFormat.TEXT if "at" in self.kinds else NumberFormat.NUMBER

    @cached_property
    def pattern(self) -> Pattern:
        """The places of its digits."""
        return pattern(self.tokens)

    @cached_property
    def tick(self) -> Decimal:
        """The least part of a second that it shows."""
        decimals = max((len(token.text.partition(".")[2]) for token in self.tokens), default=0)
        return Decimal(1).scaleb(-decimals)

    @property
    def _moment(self) -> NumberFormat:
        letters = {token.text[0] for token in self.tokens if token.kind == "moment"}
        if letters <= set("ymd"):
            return NumberFormat.DATE
        return NumberFormat.DATE_TIME if letters & set("ymd") else NumberFormat.TIME

    def applies(self, number: float) -> bool:
        """Return whether its condition holds, if it has one."""
        if self.condition is None:
            return True
        sign, bound = self.condition
        if number == bound:
            return sign in {"=", "<=", ">="}
        return ("<" if number < bound else ">") in sign


@dataclass(frozen=True)
class CellFormat:
    """A number format by its code, such as `#,##0.00;[Red]-#,##0.00`."""

    code: str

    @cached_property
    def sections(self) -> Sequence[Section]:
        """Its sections that show numbers, at least one."""
        return list(_sections(self.code[:LONGEST]))[:3]

    @property
    def shows(self) -> NumberFormat:
        """What it makes people see of numbers."""
        return self.sections[0].shows

    def section(self, number: float) -> tuple[Section, bool]:
        """Return the section of a number, and whether a minus stands before what it shows."""
        first, *others = self.sections
        if any(section.condition for section in self.sections):
            found = next((section for section in self.sections if section.applies(number)), first)
            return found, number < 0
        if number < 0 and others:
            return others[0], False  # it has a minus of its own, or red, or brackets
        if number == 0 and len(others) > 1:
            return others[1], False
        return first, number < 0


def _sections(code: str) -> Iterator[Section]:
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    for token in [*_tokens(code), Token("end", ";")]:
        if token.kind == "end":
            yield Section(_with_minutes(tokens), condition)
            tokens, condition = [], None
        elif token.kind == "bracket" and (found := _CONDITION.fullmatch(token.text)):
            condition = found[1], float(found[2])
        else:
            tokens += _meant(token)


def _tokens(code: str) -> Iterator[Token]:
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or "literal"
        yield Token(kind, found[kind])


def _meant(token: Token) -> Iterator[Token]:
    """Return what a token of a code stands for; colours and fillings show nothing."""
    kind, text = token
    if kind in {"quoted", "escaped"}:
        yield Token("literal", text)
    elif kind == "pad":
        yield Token("literal", " ")
    elif kind == "moment":
        yield Token(kind, text.lower())
    elif kind == "bracket" and _ELAPSED.fullmatch(text):
        yield Token("elapsed", text.lower())
    elif kind == "bracket" and text.startswith("$"):  # the sign of a currency, then a language
        yield Token("literal", text[1:].partition("-")[0])
    elif kind not in {"bracket", "fill"}:
        yield token


def _with_minutes(tokens: Sequence[Token]) -> Sequence[Token]:
    """Write a minute as n: m stands for it after hours and before seconds, else for a month."""
    told = list(tokens)
    clock = [i for i, token in enumerate(tokens) if token.kind in {"moment", "elapsed"}]
    letters = ["", *(tokens[i].text[0] for i in clock), ""]
    for i, before, after in zip(clock, letters, letters[2:], strict=False):
        kind, text = tokens[i]
        if kind == "moment" and text in {"m", "mm"} and (before == "h" or after == "s"):
            told[i] = Token(kind, "n" * len(text))
    return told


def _is_currency(token: Token) -> bool:
    text = token.text.strip()
    signs = any(unicodedata.category(character) == "Sc" for character in text)
    return token.kind == "literal" and (signs or text in _MARKS)
