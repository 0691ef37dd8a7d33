"""The trail as a file: it reads as the page does, and has codes in columns that are named so."""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from sync_core.audit import in_words as words
from sync_core.audit import trail
from sync_core.catalogue import reason_words, resources
from sync_core.foundation import tables
from sync_core.foundation.csv_writer import harmless, moment, quoted, text, utc
from sync_core.foundation.errors import CATALOGUE
from sync_core.foundation.vocabulary import COUNTS, ORIGINS, ActionKind, RunStatus
from sync_core.organizations import Organization, actions
from sync_core.organizations.people import Person
from sync_core.runs import lease, result_words
from sync_core.runs.filters import Filter
from sync_core.runs.words import origin

Columns = Mapping[str, sa.ColumnElement[Any]]  # by their titles in the file
csv.field_size_limit(2**30)  # facts have no length at which they would be cut off
FACTS, ENDED = "Facts (JSON)", "_ended"  # of an action: as they are kept, and whether it has ended


def query(askers: Sequence[tuple[Organization, Person]], wanted: Filter) -> sa.Select[Any]:
    """Return the query of the trail: what the list shows, with the counts of the runs.

    What actions say is still to be told by `in_words`.
    """
    found, counts, ends = trail.entries(wanted).subquery("found"), _counts(wanted), _ends(wanted)
    names = {organization.id: organization.name for organization, _ in askers}
    columns = {**_told(found, counts, names), **_codes(found, ends)}
    named = [column.label(title) for title, column in columns.items()]
    its = (counts.c.run_id == found.c.id) & (found.c.entry == "run")
    of_it = (ends.c.began == found.c.id) & (found.c.entry == "action")
    joined = found.outerjoin(counts, its).outerjoin(ends, of_it)
    order = (found.c.at.desc(), found.c.id.desc(), found.c.entry.desc())
    return sa.select(*named).select_from(joined).order_by(*order)


def _counts(wanted: Filter) -> sa.Subquery:
    """Return the counts of each run, of all between the first and the last one that is wanted.

    To sum them once and join is twice as fast as to look each run up.
    """
    kept, run = tables.tallies.c, tables.runs.c.id
    first, last = (
        sa.select(end(run)).where(*trail.conditions_on_runs(wanted)).scalar_subquery()
        for end in (sa.func.min, sa.func.max)
    )
    sums = (  # as integers, which add up faster; a sheet has no more rows than these can count
        sa.func.sum(sa.cast(kept[kind], sa.Integer)).label(kind) for kind in COUNTS
    )
    summed = sa.select(kept.run_id, *sums).where(kept.run_id.between(first, last))
    return summed.group_by(kept.run_id).subquery("counts")


def _ends(wanted: Filter) -> sa.Subquery:
    """Return which exports have ended, by the action that began each."""
    done = tables.actions.c
    began = sa.cast(done.detail["began"].astext, sa.BigInteger).label("began")
    which = (done.organization_id.in_(wanted.organizations), done.kind == ActionKind.EXPORTED)
    return sa.select(began).where(*which).distinct().subquery("ends")


def _told(found: sa.Subquery, counts: sa.FromClause, names: Mapping[int, str]) -> Columns:
    """List the columns in plain words by their titles."""
    one = found.c
    lasted = sa.func.extract("epoch", one.finished_at - one.started_at)
    took = sa.func.coalesce(sa.cast(one.worked, sa.Numeric), lasted)
    titles = {resource.name: resource.title for resource in resources.CATALOGUE.values()}
    errors = {code: reason_words.of_code(code) for code in CATALOGUE}
    return {
        utc("Time"): moment(one.at),
        "Entry": one.entry,  # this and the next but one are words of ours: nobody types them
        "Id": one.id,
        "Organization": text(sa.case(names or {0: ""}, value=one.organization_id)),
        "Event": _called(found),
        "Resource": sa.case(titles, value=one.resource, else_=one.resource),
        "Kind of run": _capitalized(one.kind),
        "Started from": _origin(found),
        "Person": text(one.name),
        "E-mail": text(one.email),
        "Team": text(one.team),
        "Run": one.run_id,
        utc("Started"): moment(one.started_at),
        utc("Finished"): moment(one.finished_at),
        "Seconds": sa.func.round(took, 3),
        "Attempts": one.attempt,
        **{kind.capitalize(): counts.c[kind] for kind in COUNTS},
        "Error": sa.case((one.error_code.is_not(None), _error(one.error_code, errors))),
        "Message": text(one.message),
        "Details": text(one.log_message),  # the names and reasons of a run
    }


def _error(code: sa.ColumnElement[Any], sentences: Mapping[str, str]) -> sa.ColumnElement[Any]:
    return sa.case(sentences, value=code, else_=code)


def _codes(found: sa.Subquery, ends: sa.FromClause) -> Columns:
    """List the columns for programs."""
    one = found.c
    return {
        "Event code": one.what,
        "Resource code": one.resource,
        "Error code": one.error_code,
        FACTS: sa.cast(one.detail, sa.Text),
        ENDED: sa.case((one.entry == "action", ends.c.began.is_not(None))),
    }


def _called(found: sa.Subquery) -> sa.ColumnElement[Any]:
    """Tell how a run is called; what somebody did, `in_words` tells."""
    one = found.c
    others = [
        ((one.kind == kind) & (one.what == status), word)
        for (kind, status), word in result_words.OF_OTHERS.items()
    ]
    every = [(one.what == status, result_words.OF_STATUS[status]) for status in RunStatus]
    declined = (one.message == lease.DECLINED, words.DECLINED)
    nothing = (one.nothing_undone, result_words.NOTHING_UNDONE)
    return sa.case((one.entry == "action", sa.null()), declined, nothing, *others, *every)


def _origin(found: sa.Subquery) -> sa.ColumnElement[Any]:
    one = found.c
    named = {name: origin(name) for name in ("page", "schedule")}
    told = sa.case(named, value=one.trigger, else_=_capitalized(one.trigger))
    return sa.case((one.kind.in_(ORIGINS), _capitalized(one.kind)), else_=told)


def _capitalized(word: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.upper(sa.func.left(word, 1)).op("||")(sa.func.substr(word, 2))


def in_words(row: bytes) -> bytes:
    """Return a row of the query as a line of the file: an action is told as on its page."""
    line = bytes(row)
    if line.split(b",", 2)[1] != b"action":  # the time before it needs no quotes
        return line[:-1]  # without its column that is for actions alone
    *cells, ended = next(csv.reader([line.decode()]))
    told = dict(zip(_titles(), cells, strict=True))
    kept = json.loads(told[FACTS] or "{}")
    detail, run = actions.read(told["Event code"], kept), told["Run"]
    facts = words.named(detail, _moment)
    sentence = words.done(detail, int(run) if run else None, _moment, has_ended=ended == "t")
    new = {
        "Event": words.action(told["Event code"]),
        "Message": sentence,
        "Details": "; ".join(f"{name}: {value}" for name, value in facts),
        FACTS: told[FACTS],
    }
    return quoted((told | {title: harmless(cell) for title, cell in new.items()}).values()).encode()


@cache
def _titles() -> Sequence[str]:
    asked = query((), Filter(organizations=()))
    return [column.name for column in asked.selected_columns if column.name != ENDED]


def _moment(at: datetime) -> str:
    local = at.astimezone(UTC)
    return f"{local.day} {local:%b %Y, %H:%M:%S} UTC"
