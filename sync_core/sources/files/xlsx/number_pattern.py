"""Places of digits: how a section of a number format writes a number that is no date."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
from typing import NamedTuple

from sync_core.catalogue.fields import Convention

GROUP = 3  # digits
# The largest float has 309 digits; percents and decimals may add three times a code's length.
_EXACT = Context(prec=1200, rounding=ROUND_HALF_UP)


class Token(NamedTuple):
    """A part of a section: "place", "point", "group", "moment", "literal", ..., and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class Pattern:
    """The tokens of a section, some of which are places, by where they stand."""

    whole: Sequence[Token]  # before the point
    part: Sequence[Token]  # after it
    power: Sequence[Token]  # from the E on
    has_point: bool

    def write(self, number: Decimal, convention: Convention) -> str:
        """Write a number that is not negative into the places."""
        number, power = self._with_power(number.scaleb(self._shift, _EXACT))
        before, _, after = str(number.quantize(self._step, context=_EXACT)).partition(".")
        text = self._whole(before.lstrip("0"), convention)
        if self.has_point:
            text += convention.decimal_mark + self._part(after)
        return text + power

    @cached_property
    def _step(self) -> Decimal:
        return Decimal(1).scaleb(-sum(token.kind == "place" for token in self.part))

    @cached_property
    def _shift(self) -> int:
        """The power of ten of what is shown: of a percent, or a thousand for a comma at the end."""
        tokens = [*self.whole, *self.part, *self.power]
        commas = _commas_at_the_end(self.whole) + _commas_at_the_end(self.part)
        return 2 * sum(token.kind == "percent" for token in tokens) - GROUP * commas

    @cached_property
    def _places(self) -> Sequence[int]:
        return [i for i, token in enumerate(self.whole) if token.kind == "place"]

    @cached_property
    def _inside(self) -> Sequence[Token]:
        return self.whole[self._places[0] : self._places[-1] + 1] if self._places else []

    @cached_property
    def _digits(self) -> int:
        """How many digits stand before the point at least: the places from the first 0 on."""
        kinds = [self.whole[i].text for i in self._places]
        return len(kinds) - kinds.index("0") if "0" in kinds else 0

    @cached_property
    def _decimals(self) -> int:
        """How many digits stand after the point at least: the places to the last 0."""
        kinds = [token.text for token in self.part if token.kind == "place"]
        return len(kinds) - kinds[::-1].index("0") if "0" in kinds else 0

    @cached_property
    def _around(self) -> tuple[str, str]:
        if not self._places:
            return _words(self.whole), ""
        return _words(self.whole[: self._places[0]]), _words(self.whole[self._places[-1] + 1 :])

    @cached_property
    def _is_parted(self) -> bool:
        """Whether words stand between digits, as in 000-0000."""
        return bool(_words(self._inside))

    @cached_property
    def _is_grouped(self) -> bool:
        return any(token.kind == "group" for token in self._inside)

    def _whole(self, digits: str, convention: Convention) -> str:
        before, after = self._around
        digits = digits.zfill(self._digits)
        if self._is_parted:
            digits = _spread(self._inside, digits)
        elif self._is_grouped:
            digits = _grouped(digits, convention.group_mark)
        return before + digits + after

    def _part(self, digits: str) -> str:
        """Write decimals; noughts at the end are left out where their place is no 0."""
        left = iter(digits.rstrip("0").ljust(self._decimals, "0"))
        return "".join(
            next(left, "") if token.kind == "place" else _words([token]) for token in self.part
        )

    def _with_power(self, number: Decimal) -> tuple[Decimal, str]:
        """Return what stands before the E, and from it on."""
        if not self.power:
            return number, ""
        decimals = sum(token.kind == "place" for token in self.part)
        mantissa, _, power = f"{number:.{decimals}E}".partition("E")
        width = max(1, sum(token.kind == "place" for token in self.power))
        plus = "+" if self.power[0].text.endswith("+") else ""
        sign = "-" if int(power) < 0 else plus
        return Decimal(mantissa), f"E{sign}{abs(int(power)):0{width}}{_words(self.power)}"


def pattern(tokens: Sequence[Token]) -> Pattern:
    """Split a section that has places at its point and its exponent."""
    kinds = [token.kind for token in tokens]
    end = kinds.index("exponent") if "exponent" in kinds else len(tokens)
    point = kinds.index("point") if "point" in kinds[:end] else end
    return Pattern(tokens[:point], tokens[point + 1 : end], tokens[end:], has_point=point < end)


def _commas_at_the_end(tokens: Sequence[Token]) -> int:
    """Count the commas after the last place: each takes three digits away."""
    kinds = [token.kind for token in tokens if token.kind in {"place", "group"}]
    return kinds[::-1].index("place") if "place" in kinds else 0


def _spread(tokens: Sequence[Token], digits: str) -> str:
    """Put digits into places between which words stand, from the right."""
    texts, left = [], digits
    for token in reversed(tokens[1:]):
        if token.kind == "place":
            texts.append(left[-1:])
            left = left[:-1]
        else:
            texts.append(_words([token]))
    return "".join([left, *reversed(texts)])


def _grouped(digits: str, mark: str) -> str:
    start = len(digits) % GROUP or GROUP
    groups = (digits[i : i + GROUP] for i in range(start, len(digits), GROUP))
    return mark.join([digits[:start], *groups])


def _words(tokens: Sequence[Token]) -> str:
    return "".join(token.text for token in tokens if token.kind in {"literal", "percent"})
