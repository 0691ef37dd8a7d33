"""Which runs and actions somebody asks for: one filter for lists, counts, charts and files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from sync_core.foundation import searching, tables
from sync_core.foundation.vocabulary import ORIGINS

MANY = ("resource", "status", "trigger", "person", "team", "error", "action")
SEPARATOR = ","  # between the values of a filter in an address; no value of ours holds one

_RUNS, _ACTIONS = tables.runs.c, tables.actions.c
HAPPENED = sa.func.coalesce(_RUNS.finished_at, _RUNS.queued_at)  # an ended run stands at its end
Conditions = list[sa.ColumnElement[bool]]


def _words(*columns: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """Put together what a search looks through; exactly this has an index (`..._by_words`)."""
    line = sa.literal_column(r"E'\n'", sa.Text)
    blank = sa.literal_column("''", sa.Text)
    texts = [sa.cast(column, sa.Text) for column in columns]
    row: sa.ColumnElement[Any] = sa.func.coalesce(texts[0], blank)  # an action may have no resource
    for text in texts[1:]:
        row = row.op("||")(line).op("||")(text)
    return row


def _to_search(table: str, *columns: str) -> sa.TableClause:
    """Describe a view of a table: under its row-level security Postgres would use no such index."""
    ids = (sa.column(name, sa.BigInteger) for name in ("id", "organization_id"))
    return sa.table(f"{table}_to_search", *ids, *map(sa.column, columns))


RUN_WORDS = _words(_RUNS.resource, _RUNS.requested_by, _RUNS.requested_email, _RUNS.log_message)
ACTION_WORDS = _words(
    _ACTIONS.resource, _ACTIONS.name, _ACTIONS.email, _ACTIONS.kind, _ACTIONS.detail
)
_RUN_SEARCH = _to_search("runs", "resource", "requested_by", "requested_email", "log_message")
_ACTION_SEARCH = _to_search("actions", "resource", "name", "email", "kind", "detail")


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What a run, or an action, must be like; an empty part asks for nothing.

    `organizations` holds ids, and an empty one finds nothing: whose data it is, is never left open.
    In figures a run counts by when it was asked for: `since` <= queued_at < `until`; in the trail
    by when it `HAPPENED`.
    """

    organizations: tuple[int, ...]
    since: datetime | None = None
    until: datetime | None = None
    resource: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()  # as `Run.origin` tells it
    person: tuple[str, ...] = ()  # e-mail addresses
    team: tuple[str, ...] = ()
    error: tuple[str, ...] = ()  # codes
    action: tuple[str, ...] = ()  # kinds of actions
    search: str = ""  # each word occurs somewhere in what a person reads

    def __post_init__(self) -> None:
        """Raise SyncError("search_refused") where more is named than anybody looks for."""
        for name in MANY:
            searching.require_few(getattr(self, name))
        searching.words(self.search)
        searching.require_near(self.since)
        searching.require_near(self.until)

    def earlier(self) -> "Filter":
        """Ask for the period of the same length just before. Needs `since` and `until`."""
        if self.since is None or self.until is None:
            raise ValueError("the filter has no period")
        return replace(self, since=self.since - (self.until - self.since), until=self.since)


def runs(wanted: Filter, at: sa.ColumnElement[Any] = _RUNS.queued_at) -> Conditions:
    """Return the conditions on the table of runs, whose period is about `at`."""
    chosen = {
        _RUNS.resource: wanted.resource,
        _RUNS.status: wanted.status,
        _RUNS.requested_email: wanted.person,
        _RUNS.requested_team: wanted.team,
        _RUNS.error_code: wanted.error,
    }
    return [
        _RUNS.organization_id.in_(wanted.organizations),
        *_period(at, wanted),
        *(column.in_(values) for column, values in chosen.items() if values),
        *_origin(wanted.trigger),
        *([sa.false()] if wanted.action else []),
        *_found(_RUNS.id, _RUN_SEARCH, wanted),
    ]


def _origin(chosen: tuple[str, ...]) -> Iterator[sa.ColumnElement[bool]]:
    """Ask for runs by their triggers, or for retries and undos, whatever their triggers are."""
    if chosen:
        triggers = [one for one in chosen if one not in ORIGINS]
        kinds = [one for one in chosen if one in ORIGINS]
        started = _RUNS.trigger.in_(triggers) & _RUNS.kind.not_in(ORIGINS)
        yield started | _RUNS.kind.in_(kinds) if kinds else started


def actions(wanted: Filter) -> Conditions:
    """Return the conditions on the table of actions; what only runs have finds no action."""
    chosen = {
        _ACTIONS.resource: wanted.resource,
        _ACTIONS.email: wanted.person,
        _ACTIONS.team: wanted.team,
        _ACTIONS.kind: wanted.action,
    }
    return [
        _ACTIONS.organization_id.in_(wanted.organizations),
        *_period(_ACTIONS.at, wanted),
        *(column.in_(values) for column, values in chosen.items() if values),
        *([sa.false()] if wanted.status or wanted.trigger or wanted.error else []),
        *_found(_ACTIONS.id, _ACTION_SEARCH, wanted),
    ]


def _found(
    id_: sa.ColumnElement[int], searched: sa.TableClause, wanted: Filter
) -> Iterator[sa.ColumnElement[bool]]:
    """Ask for what has all words of the search; they are looked up in the view."""
    _, whose, *columns = searched.c
    if hits := searching.looked_up(_words(*columns), wanted.search):
        found = sa.select(searched.c.id).where(whose.in_(wanted.organizations), *hits)
        once = found.cte().prefix_with("materialized")  # not for each row, whatever is planned
        yield id_.in_(sa.select(once.c.id))


def _period(at: sa.ColumnElement[Any], wanted: Filter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.since is not None:
        yield at >= wanted.since
    if wanted.until is not None:
        yield at < wanted.until


def to_address(wanted: Filter) -> dict[str, str]:
    """Write the filter as parameters of an address; whose data it is, the page decides."""
    many = {name: SEPARATOR.join(getattr(wanted, name)) for name in MANY}
    moments = {
        name: at.astimezone(UTC).isoformat(timespec="seconds")
        for name in ("since", "until")
        if (at := getattr(wanted, name))
    }
    return {
        name: text for name, text in {**moments, **many, "search": wanted.search}.items() if text
    }


def from_address(parameters: Mapping[str, str], organizations: tuple[int, ...]) -> Filter:
    """Read the filter out of an address; what somebody has mistyped asks for nothing."""

    def many(name: str) -> tuple[str, ...]:
        return tuple(part for part in parameters.get(name, "").split(SEPARATOR) if part)

    return Filter(
        organizations=organizations,
        since=_moment(parameters.get("since", "")),
        until=_moment(parameters.get("until", "")),
        resource=many("resource"),
        status=many("status"),
        trigger=many("trigger"),
        person=many("person"),
        team=many("team"),
        error=many("error"),
        action=many("action"),
        search=parameters.get("search", ""),
    )


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
