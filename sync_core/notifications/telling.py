"""Tells what happened: turns news into notices and messages, for each whom it concerns."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import runs
from sync_core.foundation import db, settings, tables
from sync_core.foundation.vocabulary import NoticeKind, RunKind, RunStatus
from sync_core.notifications import channels, conditions, freshness, judging, news, outbox, wishes
from sync_core.notifications.channels import Channel
from sync_core.notifications.judging import Telling
from sync_core.notifications.news import News
from sync_core.notifications.outbox import Address, Item
from sync_core.notifications.wishes import Wish
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.runs import Run, plans

log = logging.getLogger("syncdesk.telling")


@dataclass(frozen=True)
class Audience:
    """The people and channels of an organization, each with what they wish to be told."""

    wishes: Mapping[Person, Wish]
    channels: Sequence[Channel]

    def of(self, telling: Telling) -> Iterator[tuple[Person, Wish, bool]]:
        """Find whom it concerns; with each, whether they are told as one of all."""
        for person, wish in self.wishes.items():
            watches = telling.to_all and wish.covers(telling.kind, telling.resource)
            if telling.kind == NoticeKind.WAITING and not person.may("sync"):
                watches = False  # they could not decide on it
            if watches or person.email == telling.by:
                yield person, wish, watches

    def addresses(self, telling: Telling) -> Iterator[Address]:
        """Find where a message tells it, beside the inboxes of the pages."""
        if settings.current().mail_server:
            for person, wish, watches in self.of(telling):
                if watches and wish.by_mail:
                    yield Address(email=person.email)
        for channel in self.channels:
            if telling.to_all and channel.wish.covers(telling.kind, telling.resource):
                yield Address(channel_id=channel.id)


def tell(connection: Connection, now: datetime) -> list[Telling]:
    """Tell what is new, in this transaction; `now` is the clock. Returns what was told."""
    if not news.is_my_turn(connection):
        return []
    told = [telling for one in news.take(connection) for telling in _safely_judged(connection, one)]
    told += freshness.changes(connection, now)
    audience = cache(lambda organization_id: _audience(connection, organization_id))
    notices = [notice for one in told for notice in _notices(audience(one.organization_id), one)]
    if notices:
        connection.execute(sa.insert(tables.notices), notices)
    for one in told:
        item = Item(one.kind, one.resource, one.run_id, one.text, one.at)
        for address in audience(one.organization_id).addresses(one):
            outbox.tell(connection, one.organization_id, address, item, now)
    return told


def _audience(connection: Connection, organization_id: int) -> Audience:
    decided = wishes.everyones(connection, organization_id)
    known = people.members(connection, organization_id)
    all_wishes = {one: decided.get(one.email) or wishes.usual(one) for one in known}
    return Audience(all_wishes, channels.everyone(connection, organization_id))


def _safely_judged(connection: Connection, one: News) -> Sequence[Telling]:
    """Judge some news; what cannot be told holds up nothing else."""
    try:
        with connection.begin_nested():
            return _judged(connection, one)
    except Exception as error:
        if db.is_away(error):
            raise
        log.exception("nobody is told of run %s", one.run_id)
        return ()


def _judged(connection: Connection, one: News) -> Sequence[Telling]:
    """Return what is told of some news, and remember that it was."""
    if one.run_id is None:
        kind = NoticeKind.PAUSED
        return [Telling(kind, one.organization_id, one.resource, None, one.reason, one.at)]
    run = runs.get(connection, one.organization_id, one.run_id)
    if run.status != one.status:
        return ()  # it went on since: that is news of its own
    known = conditions.of(connection, run.organization_id, run.resource)
    judgement = judging.of_run(run, _codes(connection, run), known, one.at)
    for topic, condition in judgement.conditions.items():
        if condition is None:
            conditions.forget(connection, run.organization_id, run.resource, topic)
        else:
            conditions.put(connection, run.organization_id, run.resource, topic, condition)
    return judgement.tellings


def _codes(connection: Connection, run: Run) -> str:
    """Name why rows of a run failed, or which guards hold its plan back."""
    if run.status == RunStatus.WAITING:
        kept = plans.of_run(connection, run.id)
        of = "undo:" if run.kind == RunKind.UNDO else ""  # a sync's guard was told of a sync
        return _listed({f"{of}{one.entity}:{one.guard}" for one in kept.tripped} if kept else ())
    tallied = tables.issue_tallies.c
    query = sa.select(tallied.entity, tallied.code).where(tallied.run_id == run.id)
    return _listed(f"{row.entity}:{row.code}" for row in connection.execute(query))


def _listed(codes: Iterable[str]) -> str:
    return ", ".join(sorted(codes))


def _notices(audience: Audience, telling: Telling) -> Iterator[Mapping[str, object]]:
    for person, _, _ in audience.of(telling):
        yield {
            "organization_id": telling.organization_id,
            "email": person.email,
            "kind": telling.kind,
            "resource": telling.resource,
            "run_id": telling.run_id,
            "text": telling.text,
            "own": person.email == telling.by,
            "at": telling.at,
        }
