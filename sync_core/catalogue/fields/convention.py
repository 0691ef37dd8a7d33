"""Conventions: how the people of a sheet write numbers, dates, times and phone numbers."""

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol, get_group_symbol

from sync_core.catalogue.fields import currencies


@dataclass(frozen=True)
class Convention:
    """How the sheet's people write: the country of phones, the locale of numbers and dates."""

    country: str = "AU"
    locale: str | None = None  # None: decimal point, thousands comma, ISO dates

    def __post_init__(self) -> None:
        if self.country not in phonenumbers.SUPPORTED_REGIONS:
            message = f"'{self.country}' is not a country: write its two letters, such as AU."
            raise ValueError(message)
        if self.locale is not None:
            _locale(self.locale)

    @cached_property
    def decimal_mark(self) -> str:
        """The mark before the decimals."""
        return get_decimal_symbol(_locale(self.locale))

    @cached_property
    def group_mark(self) -> str:
        """The mark between thousands."""
        return get_group_symbol(_locale(self.locale))

    @cached_property
    def groups_of_two(self) -> bool:
        """Whether digits left of the thousands stand in pairs, as in 12,34,567."""
        return bool(_locale(self.locale).decimal_formats[None].grouping == (3, 2))

    @property
    def language(self) -> str:
        """The language of words such as yes and no: de, pt."""
        return str(_locale(self.locale).language)

    @cached_property
    def currency_marks(self) -> frozenset[str]:
        """What stands for currencies here, in capitals: symbols, and every currency's code."""
        return frozenset(currencies.marks(_locale(self.locale)))

    def currency_codes(self, mark: str) -> frozenset[str]:
        """Return the codes of the currencies that a mark may stand for here."""
        return currencies.codes(mark, _locale(self.locale))

    @cached_property
    def own_currencies(self) -> frozenset[str]:
        """What an amount is in where nobody names a currency: the country's, or the locale's."""
        territory = _locale(self.locale).territory if self.locale else None
        return currencies.of_territory(self.country) | currencies.of_territory(territory or "")

    @cached_property
    def date_order(self) -> Literal["dmy", "mdy"] | None:
        """What comes first in a date that ends in its year; None where nobody says."""
        if self.locale is None:
            return None
        pattern = _locale(self.locale).date_formats["short"].pattern
        if pattern.find("y") < max(pattern.find("d"), pattern.find("M")):
            return None
        return "dmy" if pattern.find("d") < pattern.find("M") else "mdy"

    @cached_property
    def dotted_times(self) -> bool:
        """Whether a time is written 9.30."""
        return "." in _locale(self.locale).time_formats["short"].pattern

    @cached_property
    def months(self) -> dict[str, int]:
        """The months by their names and abbreviations, in small letters, English ones too."""
        return _months(_locale(None)) | _months(_locale(self.locale))


@cache
def _locale(name: str | None) -> Locale:
    """Find a locale as Google or a person writes it: de_DE, en-AU."""
    # Google knows Norwegian by its family's name, Unicode by that of its written form.
    known = re.sub(r"^no(?=_|$)", "nb", ("en" if name is None else name).replace("-", "_"))
    try:
        return Locale.parse(known)
    except (UnknownLocaleError, ValueError) as error:
        message = f"'{name}' is not a locale: write it like en_AU or de_DE."
        raise ValueError(message) from error


def _months(locale: Locale) -> dict[str, int]:
    return {
        name.casefold().rstrip("."): month
        for use in ("format", "stand-alone")
        for width in ("abbreviated", "wide")
        for month, name in locale.months[use][width].items()
    }
