"""Fields of contacts: e-mail addresses, phone numbers, web addresses."""

from __future__ import annotations  # those that name Polars load none of it

import re
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import sqlalchemy as sa

from sync_core.catalogue.fields import phones
from sync_core.catalogue.fields.cells import (
    CellError,
    Shortcut,
    first_of,
    keep,
    matching,
    nothing,
    plain,
    without,
)
from sync_core.catalogue.fields.convention import Convention
from sync_core.catalogue.fields.field import Field
from sync_core.catalogue.fields.number_formats import NumberCell
from sync_core.catalogue.fields.polars_later import pl
from sync_core.foundation import email_address

URL_LENGTH = 2000  # characters that browsers agree on

_NAME = r"[a-zA-Z0-9_](?:[a-zA-Z0-9_-]*[a-zA-Z0-9_])?"
_HOST = rf"(?:{_NAME}(?:\.{_NAME})+|localhost)"  # https://www and https://http:// lack something
_URL = rf"^https?://{_HOST}(?::[1-9][0-9]{{0,3}})?(?:[/?#][!-~]*)?$"
_WITHOUT_SCHEME = re.compile(r"[\w-]+(?:\.[\w-]+)+(?:[/?#:]\S*)?")


@dataclass(frozen=True, kw_only=True)
class Email(Field):
    """An e-mail address, kept in small letters."""

    sql_type = sa.Text()

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep addresses, then those that only have capitals."""
        return _addresses, lambda texts: _addresses(_lowered(texts))

    def parse(self, text: str, _convention: Convention) -> str:
        """Read an address, even with characters in it that nobody sees."""
        address = plain(text).strip()
        if not email_address.is_valid(address):
            raise CellError("bad_email")
        return address.lower()


@dataclass(frozen=True, kw_only=True)
class Phone(Field):
    """A phone number that exists in its country's plan, kept as +61412345678 or with ;ext=12."""

    sql_type = sa.Text()

    def shortcuts(self, convention: Convention) -> tuple[Shortcut, ...]:
        """Compare plain digits with the country's plan, then what is left without its marks."""
        plan = phones.plan(convention.country)
        if plan is None:
            return ()
        usual = (partial(_national, plan), partial(_international, plan))
        digits = (*usual, partial(_bare, plan), _foreign)
        return *usual, lambda texts: first_of(digits, _unmarked(texts))

    def parse(self, text: str, convention: Convention) -> str:
        """Read a number of any country as the library phonenumbers does."""
        number = phones.e164(plain(text).strip(), convention.country)
        if number is None:
            raise CellError("bad_phone")
        return number


@dataclass(frozen=True, kw_only=True)
class Url(Field):
    """A web address with its https://, kept as it stands."""

    sql_type = sa.Text()

    def facts(
        self, text: str, _convention: Convention, _cell: NumberCell | None = None
    ) -> dict[str, object]:
        """Return the limit, and what may be missing."""
        bare = _WITHOUT_SCHEME.fullmatch(plain(text).strip())
        return {"limit": URL_LENGTH, "hint": " (put https:// in front)" if bare else ""}

    def shortcuts(self, _convention: Convention) -> tuple[Shortcut, ...]:
        """Keep addresses of plain letters."""
        return (_web_addresses,)

    def parse(self, text: str, _convention: Convention) -> str:
        """Read an address of any letters."""
        address = plain(text).strip()
        if len(address) > URL_LENGTH:
            raise CellError("too_long")
        if not _is_web_address(address):
            raise CellError("bad_url")
        return address


# Columns at once


def _addresses(texts: pl.Series) -> pl.Series:
    short = texts.str.len_bytes() <= email_address.LONGEST
    return keep(texts, short & texts.str.contains(email_address.PATTERN))


def _lowered(texts: pl.Series) -> pl.Series:
    return matching(texts, "^[!-~]+$").str.to_lowercase()


def _web_addresses(texts: pl.Series) -> pl.Series:
    short = texts.str.len_bytes() <= URL_LENGTH
    return keep(texts, short & texts.str.contains(_URL))


def _national(plan: phones.Plan, texts: pl.Series) -> pl.Series:
    """Read 0412345678."""
    if not plan.prefix:
        return nothing(len(texts))
    known = _unless(plan.exits, _numbers(plan, plan.prefix, texts))
    return plan.code + known.str.slice(len(plan.prefix))


def _international(plan: phones.Plan, texts: pl.Series) -> pl.Series:
    """Read +61412345678."""
    code = re.escape(plan.code)
    return _unless(f"{code}(?:{plan.prefixes})", _numbers(plan, code, texts))


def _bare(plan: phones.Plan, texts: pl.Series) -> pl.Series:
    """Read 412345678, as a sheet that took it for a number shows it."""
    return plan.code + _unless(f"{plan.prefixes}|{plan.exits}", _numbers(plan, "", texts))


def _foreign(texts: pl.Series) -> pl.Series:
    """Read +442079460958 by the plan of the country that is called."""
    plans = map(phones.plan, phones.called(set(texts.str.slice(0, 4).drop_nulls())))
    return first_of([partial(_international, plan) for plan in plans if plan], texts)


def _numbers(plan: phones.Plan, start: str, texts: pl.Series) -> pl.Series:
    known = matching(texts, f"^{start}(?:{plan.numbers})$")
    return matching(known, f"^{start}(?:{plan.lengths})$")


def _unless(start: str, texts: pl.Series) -> pl.Series:
    """Leave out what starts like something else, which the library takes off first."""
    return keep(texts, ~texts.str.contains(f"^(?:{start})"))


def _unmarked(texts: pl.Series) -> pl.Series:
    """Take blanks, brackets, dots and hyphens out of numbers."""
    return without(matching(texts, r"^\(?\+?[0-9][0-9 ().-]*$"), " ().-")


# One text at a time


def _is_web_address(address: str) -> bool:
    if not re.match("https?://", address, re.IGNORECASE):
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        named = host if host.isascii() else host.encode("idna").decode()
        port_is_fine = parts.port != 0
    except ValueError:
        return False
    return (
        "@" not in parts.netloc  # a password has no place in a table
        and port_is_fine
        and bool(re.fullmatch(_HOST, named))
        and not re.search(r"\s", address)
    )
