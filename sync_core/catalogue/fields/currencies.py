"""Currencies: their codes, and which ones a mark beside an amount may stand for."""

import re
from functools import cache

from babel import Locale
from babel.core import get_global

from sync_core.catalogue.fields.cells import plain

# A mark that several countries use, with what their currencies are called in English.
_SHARED = {
    "$": "Dollar|Peso",
    "\N{POUND SIGN}": "Pound",
    "\N{YEN SIGN}": "Yen|Yuan",
    "\N{FULLWIDTH YEN SIGN}": "Yen|Yuan",
    "KR": "Kron|Kr\N{LATIN SMALL LETTER O WITH ACUTE}n",
    "KR.": "Kron|Kr\N{LATIN SMALL LETTER O WITH ACUTE}n",
    "FR": "Franc",
    "FR.": "Franc",
    "\N{RUPEE SIGN}": "Rupee",
    "RS": "Rupee",
    "RS.": "Rupee",
}
_DOLLARS = {"AU$": "AUD", "US$": "USD", "C$": "CAD", "S$": "SGD", "SG$": "SGD"}  # beside CLDR's A$
A_DOLLAR = re.compile(r"[A-Z]{1,2}\$")


@cache
def currencies() -> frozenset[str]:
    """List the ISO 4217 codes of currencies that are legal tender somewhere today."""
    used = get_global("territory_currencies").values()
    return frozenset(
        code for rows in used for code, _, end, tender in rows if tender and end is None
    )


@cache
def of_territory(territory: str) -> frozenset[str]:
    """List the codes of what is legal tender in a country today."""
    rows = get_global("territory_currencies").get(territory, ())
    return frozenset(code for code, _, end, tender in rows if tender and end is None)


@cache
def marks(locale: Locale) -> dict[str, frozenset[str]]:
    """Return the marks that stand for currencies in a locale, in capitals, with their codes."""
    found: dict[str, set[str]] = {code: {code} for code in currencies()}
    for code in currencies():
        for table in (Locale("en").currency_symbols, locale.currency_symbols):
            if symbol := table.get(code):
                found.setdefault(plain(symbol).upper(), set()).add(code)
    names = {code: Locale("en").currencies.get(code, "") for code in currencies()}
    for mark, called in _SHARED.items():
        if mark in found:
            found[mark] |= {code for code, name in names.items() if re.search(called, name)}
    return {mark: frozenset(codes) for mark, codes in found.items()}


def codes(mark: str, locale: Locale) -> frozenset[str]:
    """Return the codes that a mark may stand for, or none where it is no currency's."""
    known, written = marks(locale), plain(mark).strip().upper()
    if written in _DOLLARS:
        return frozenset({_DOLLARS[written]})
    if A_DOLLAR.fullmatch(written) and written not in known:
        return known["$"]  # of a country that has a dollar or a peso
    return known.get(written, frozenset())
