"""Digests: each morning, or each Monday morning, what happened since the last one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import runs
from sync_core.audit import heads
from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import settings, tables
from sync_core.foundation.counting import count
from sync_core.foundation.vocabulary import CHANGED, DigestPace, MessageForm, OutcomeKind, RunStatus
from sync_core.notifications import letters, outbox
from sync_core.notifications.letters import Entry, Letter
from sync_core.notifications.outbox import Address, Content, Message
from sync_core.organizations import Organization, policies
from sync_core.organizations.people import Person
from sync_core.runs import MADE_UP
from sync_core.runs.promise import Promise

MORNING = time(7)  # in the time zone of the organization
DAYS = {DigestPace.DAILY: 1, DigestPace.WEEKLY: 7}
HEAD = (
    "The end of the audit's chain. Keep it: anybody who changes the trail before it is found out by"
    " syncdesk verify --heads FILE, where the file holds the next line."
)

_WISHES, _CHANNELS, _ORGANIZATIONS = tables.wishes.c, tables.channels.c, tables.organizations.c
_PEOPLE = tables.people.c
_KNOWN = sa.and_(
    _PEOPLE.organization_id == _WISHES.organization_id,
    _PEOPLE.email == _WISHES.email,
    _PEOPLE.accepted_at.is_not(None),
)
_RUNS, _TALLIES, _MESSAGES = tables.runs.c, tables.tallies.c, tables.messages.c


# When one is due


@dataclass(frozen=True)
class Subscription:
    """Somebody who gets a digest."""

    organization_id: int
    zone: str
    address: Address
    pace: DigestPace
    since: datetime  # when that was decided

    def due(self, now: datetime) -> datetime | None:
        """Return the last morning on which one was due; None where that was decided later."""
        local = now.astimezone(ZoneInfo(self.zone))
        day = local.date() - timedelta(days=local.time() < MORNING)
        if self.pace == DigestPace.WEEKLY:
            day -= timedelta(days=day.weekday())
        morning = datetime.combine(day, MORNING, ZoneInfo(self.zone))
        return morning if self.since <= morning else None


def make_due(connection: Connection, now: datetime) -> None:
    """Put the digests that are due into the outbox; `now` is the clock. Each goes once."""
    for one in _subscriptions(connection):
        morning = one.due(now)
        if morning is None:
            continue
        once = f"digest of {morning.date()}"
        if not _is_there(connection, one, once):
            content = Content(MessageForm.DIGEST, since=morning - timedelta(days=DAYS[one.pace]))
            outbox.add(connection, one.organization_id, one.address, content, now, once=once)


def _subscriptions(connection: Connection) -> Iterator[Subscription]:
    people = sa.select(
        _WISHES.organization_id, _ORGANIZATIONS.time_zone, _WISHES.email, _WISHES.digest,
        _WISHES.set_at,
    ).join_from(tables.wishes, tables.organizations).join(tables.people, _KNOWN)  # fmt: skip
    teams = sa.select(
        _CHANNELS.organization_id, _ORGANIZATIONS.time_zone, _CHANNELS.id, _CHANNELS.digest,
        _CHANNELS.made_at,
    ).join_from(tables.channels, tables.organizations)  # fmt: skip
    if settings.current().mail_server:
        for of, zone, email, pace, since in connection.execute(
            people.where(_WISHES.digest != DigestPace.NEVER)
        ):
            yield Subscription(of, zone, Address(email=email), DigestPace(pace), since)
    for of, zone, channel, pace, since in connection.execute(
        teams.where(_CHANNELS.digest != DigestPace.NEVER)
    ):
        yield Subscription(of, zone, Address(channel_id=channel), DigestPace(pace), since)


def _is_there(connection: Connection, one: Subscription, once: str) -> bool:
    to = one.address
    which = _MESSAGES.email == to.email if to.email else _MESSAGES.channel_id == to.channel_id
    ours = (_MESSAGES.organization_id == one.organization_id, which, _MESSAGES.once == once)
    return bool(connection.execute(sa.select(sa.exists().where(*ours))).scalar())


# What it says


@dataclass(frozen=True)
class Days:
    """What the syncs of a resource did in the days of a digest."""

    ended: Mapping[RunStatus, int]
    rows: Mapping[OutcomeKind, int]


def letter(
    connection: Connection, organization: Organization, message: Message, reader: Person | None
) -> Letter:
    """Word the digest for a person, or for a channel, which tells the organization."""
    since = message.content.since or message.made_at - timedelta(days=1)
    done = _done(connection, organization, since, message.made_at)
    state = _states(connection, organization, message.made_at)
    entries = [
        _entry(organization, resource, done.get(name), state.get(name, ()))
        for name, resource in resources.CATALOGUE.items()
        if name in done or name in state
    ]
    if reader is None or reader.may("audit"):
        entries += _head(connection, organization)
    first = since.astimezone(ZoneInfo(organization.time_zone))
    subject = f"{letters.line(organization.name)}: digest since {first.day} {first:%b %Y}"
    closing = () if done else ("Nothing was synced in this time.",)
    return Letter(subject, tuple(entries), closing)


def _done(
    connection: Connection, organization: Organization, since: datetime, until: datetime
) -> Mapping[str, Days]:
    """Count by resource how runs ended in these days, and what they did to rows."""
    these = (
        _RUNS.organization_id == organization.id,
        _RUNS.trigger != MADE_UP,
        _RUNS.finished_at > since,
        _RUNS.finished_at <= until,
    )
    ended: dict[str, dict[RunStatus, int]] = {}
    for name, status, number in connection.execute(
        sa.select(_RUNS.resource, _RUNS.status, sa.func.count())
        .where(*these)
        .group_by(_RUNS.resource, _RUNS.status)
    ):
        ended.setdefault(name, {})[RunStatus(status)] = number
    sums = [sa.func.sum(_TALLIES[kind]) for kind in (*CHANGED, OutcomeKind.FAILED)]
    rows = {
        name: dict(zip((*CHANGED, OutcomeKind.FAILED), map(int, numbers), strict=True))
        for name, *numbers in connection.execute(
            sa.select(_RUNS.resource, *sums)
            .join_from(tables.runs, tables.tallies)
            .where(*these)
            .group_by(_RUNS.resource)
        )
    }
    return {name: Days(counts, rows.get(name, {})) for name, counts in ended.items()}


def _states(
    connection: Connection, organization: Organization, now: datetime
) -> Mapping[str, tuple[str, ...]]:
    """Tell of each resource how old it is, and whether a plan waits."""
    decided = policies.of(connection, organization.id)
    found: dict[str, list[str]] = {}
    for name, run in runs.fresh(connection, organization.id).items():
        if run.finished_at and name in decided:
            promise = Promise(run.finished_at, decided[name].fresh_hours, run.partly)
            found.setdefault(name, []).append(f"{promise.sentence(now)}.")
    waiting = sa.select(_RUNS.resource, sa.func.count()).where(
        _RUNS.organization_id == organization.id, _RUNS.status == RunStatus.WAITING
    )
    for name, number in connection.execute(waiting.group_by(_RUNS.resource)):
        wait = "waits for a decision" if number == 1 else "wait for a decision"
        found.setdefault(name, []).append(f"{count(number, 'plan')} {wait}.")
    return {name: tuple(told) for name, told in found.items()}


def _entry(
    organization: Organization, resource: Resource, days: Days | None, state: tuple[str, ...]
) -> Entry:
    lines = list(state)
    if days:
        ended = ", ".join(f"{days.ended[s]:,} {_word(s)}" for s in RunStatus if s in days.ended)
        rows = ", ".join(f"{number:,} {kind}" for kind, number in days.rows.items() if number)
        lines = [f"{count(sum(days.ended.values()), 'run')}: {ended}", *lines]
        lines += [f"Rows: {rows}"] if rows else []
    return Entry(
        resource.title,
        tuple(lines),
        letters.of_run(organization, resource.name, None),
        resource=resource.name,
        counts={kind.value: number for kind, number in days.rows.items()} if days else None,
    )


def _word(status: RunStatus) -> str:
    return status.replace("_", " ")


def _head(connection: Connection, organization: Organization) -> Iterator[Entry]:
    if noted := heads.latest(connection, organization.id):
        yield Entry("Audit", (HEAD, noted), letters.page(organization, "audit"))
