"""Lists of an account as Cliniko documents them: filters, order, pages, links."""

import operator
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sync_core.demo.cliniko.account import Account
from sync_core.demo.cliniko.known import Kind, Known, moment
from sync_core.demo.cliniko.records import Record

USUAL, MOST = 50, 100  # records a page

_MOMENTS = "archived_at created_at updated_at".split()
_NUMBERS = "id patient_id practitioner_id business_id appointment_type_id repeated_from_id".split()
FILTERS: dict[Kind, Mapping[str, str]] = {
    "patients": {
        **dict.fromkeys(_MOMENTS, "moment"),
        **dict.fromkeys("email first_name last_name old_reference_id".split(), "text"),
        "date_of_birth": "text",
        "id": "number",
    },
    "individual_appointments": {
        **dict.fromkeys((*_MOMENTS, "starts_at", "ends_at", "cancelled_at"), "moment"),
        **dict.fromkeys(_NUMBERS, "number"),
    },
    "appointment_types": {
        **dict.fromkeys(_MOMENTS, "moment"),
        "category": "text",
        "id": "number",
    },
}
DELETED = {"deleted_at": "moment", "id": "number"}
# a list leaves these out, unless it is filtered by them
LEFT_OUT: dict[Kind, Sequence[str]] = {
    "patients": ("archived_at",),
    "individual_appointments": ("archived_at", "cancelled_at"),
    "appointment_types": ("archived_at",),
}
OPERATORS = {
    "moment": (">=", "<=", "!?", ">", "<", "?", "*"),
    "number": (">=", "<=", "!=", "!?", ">", "<", "=", "?"),
    "text": ("~~", "!=", "!?", "~", "=", "?"),
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "!=": operator.ne,
}


class RefusedError(Exception):
    """Cliniko cannot answer this question; the message is its own."""


class Filter(NamedTuple):
    """One condition on a field: `updated_at:>=2026-01-01T00:00:00Z`."""

    field: str
    kind: str
    operator: str
    value: str


class Lists:
    """Answers lists of an account; what it has found it keeps until the account changes."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._found: dict[tuple[Kind, tuple[Filter, ...]], list[Known]] = {}
        self._version = account.version

    def page(self, kind: Kind, query: Mapping[str, Sequence[str]], origin: str) -> Record:
        """Return one page of a list. Raises RefusedError."""
        filters = [_filter(FILTERS[kind], text) for text in query.get("q[]", ())]
        found = _sorted(self._matching(kind, filters), query)
        return _page(kind, found, query, f"{origin}/v1/{kind}", self._maker(kind, origin))

    def deleted(self, kind: Kind, query: Mapping[str, Sequence[str]], origin: str) -> Record:
        """Return one page of the deleted records. Raises RefusedError."""
        tests = [self._test(kind, _filter(DELETED, text)) for text in query.get("q[]", ())]
        found = [one for one in self.account.deleted(kind) if all(test(one) for test in tests)]
        make = _link_alone(origin) if kind == "patients" else self._maker(kind, origin)
        return _page(kind, _sorted(found, query), query, f"{origin}/v1/{kind}/deleted", make)

    def _maker(self, kind: Kind, origin: str) -> Callable[[Known], Record]:
        return lambda known: self.account.record(kind, known, origin)

    def _matching(self, kind: Kind, filters: Sequence[Filter]) -> list[Known]:
        """Find the records; "with an id above" is a cut of what the other filters find."""
        if self._version != self.account.version:
            self._found, self._version = {}, self.account.version
        others = tuple(f for f in filters if (f.field, f.operator) != ("id", ">"))
        if (kind, others) not in self._found:
            self._found[kind, others] = self._find(kind, others)
        found = self._found[kind, others]
        after = max((int(f.value) for f in filters if f not in others), default=-1)
        return found[bisect_right(found, after, key=lambda one: one.id) :]

    def _find(self, kind: Kind, filters: Sequence[Filter]) -> list[Known]:
        lifted = {f.field for f in filters}
        hidden = [name for name in LEFT_OUT[kind] if name not in lifted]
        tests = [self._test(kind, f) for f in filters if f.operator != "*"]
        return [
            known
            for known in self.account.known(kind)
            if all(getattr(known, name) is None for name in hidden)
            if all(test(known) for test in tests)
        ]

    def _test(self, kind: Kind, wanted: Filter) -> Callable[[Known], bool]:
        matches = _matcher(wanted)
        if wanted.field in Known._fields:
            return lambda known: matches(getattr(known, wanted.field))
        return lambda known: matches(self.account.record(kind, known, "").get(wanted.field))


def _page(
    kind: Kind,
    found: Sequence[Known],
    query: Mapping[str, Sequence[str]],
    address: str,
    make: Callable[[Known], Record],
) -> Record:
    size = min(max(_number(query, "per_page", USUAL), 1), MOST)
    page = max(_number(query, "page", 1), 1)
    return {
        kind: [make(known) for known in found[(page - 1) * size : page * size]],
        "total_entries": len(found),
        "links": _links(address, query, page, last=-(-len(found) // size)),
    }


def _link_alone(origin: str) -> Callable[[Known], Record]:
    """Return what makes the little that Cliniko tells of a deleted patient."""
    return lambda known: {
        "deleted_at": moment(known.deleted_at),
        "links": {"self": f"{origin}/v1/patients/{known.id}"},
    }


def _filter(known: Mapping[str, str], text: str) -> Filter:
    field, _, condition = text.partition(":")
    kind_of_field = known.get(field)
    if kind_of_field is None:
        raise RefusedError(f"{field} is not filterable")
    for sign in OPERATORS[kind_of_field]:
        if condition.startswith(sign):
            value = condition.removeprefix(sign)
            numeric = kind_of_field == "number" and not sign.endswith("?")
            if numeric and not re.fullmatch(r"\d+(,\d+)*" if sign == "=" else r"\d+", value):
                raise RefusedError(f"Filter value for {field} must be a number")
            return Filter(field, kind_of_field, sign, value)
    raise RefusedError(f"Filter operator for {field} is not supported")


def _matcher(wanted: Filter) -> Callable[[Any], bool]:
    match wanted.operator:
        case "?":
            return lambda value: value is not None
        case "!?":
            return lambda value: value is None
        case "~":
            return lambda value: wanted.value.lower() in str(value or "").lower()
        case "~~":
            pattern = re.compile(re.escape(wanted.value).replace("%", ".*"), re.IGNORECASE)
            return lambda value: bool(pattern.fullmatch(str(value or "")))
        case "=":
            values = {_comparable(wanted, part) for part in wanted.value.split(",")}
            return lambda value: value in values
    compare, bound = COMPARE[wanted.operator], _comparable(wanted, wanted.value)
    return lambda value: value is not None and compare(value, bound)


def _comparable(wanted: Filter, text: str) -> int | str:
    match wanted.kind:
        case "number":
            return int(text)
        case "moment":
            return _seconds(wanted.field, text)
        case _:
            return text


def _seconds(field: str, text: str) -> int:
    if not text.endswith("Z"):
        raise RefusedError(f"Filter value for {field} must be a UTC date and time")
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise RefusedError(f"Filter value for {field} must be a UTC date and time") from None


def _sorted(found: list[Known], query: Mapping[str, Sequence[str]]) -> list[Known]:
    """Put a list in order; found is in the order of ids, which is that of `created_at`, too."""
    descending = query.get("order", ["asc"])[0] == "desc"
    for name in reversed(query.get("sort", ["created_at"])[0].split(",")):
        column, _, direction = name.partition(":")
        if column not in Known._fields:
            raise RefusedError(f"{column} is not sortable")
        backwards = direction == "desc" or (descending and not direction)
        if column not in {"id", "created_at"} or backwards:
            found = sorted(found, key=lambda one: getattr(one, column) or 0, reverse=backwards)
    return found


def _number(query: Mapping[str, Sequence[str]], name: str, usual: int) -> int:
    text = query.get(name, [""])[0]
    return int(text) if text.isdecimal() else usual


def _links(address: str, query: Mapping[str, Sequence[str]], page: int, last: int) -> Record:
    def link(number: int) -> str:
        others = [(name, value) for name, values in query.items() for value in values]
        pairs = [pair for pair in others if pair[0] != "page"]
        return f"{address}?{urlencode([*pairs, ('page', number)])}"

    links = {"self": link(page)}
    if page < last:
        links["next"] = link(page + 1)
    if page > 1:
        links["previous"] = link(page - 1)
    return links
