"""Digests: on time in the organization's zone, each once, with the end of the audit's chain."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_core import organizations
from sync_core.audit import heads
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import ChannelKind, DigestPace, MessageForm
from sync_core.notifications import digest, outbox
from sync_core.notifications.digest import Subscription
from sync_core.notifications.outbox import Address
from sync_core.notifications.wishes import Wish
from sync_core.operations import notifications
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN
from tests.support.post import PostOffice, deliver, forget, html_of, text_of, use
from tests.support.telling import BEN, DAN, PEOPLE, join, tell

DAILY, WEEKLY = Wish(digest=DigestPace.DAILY), Wish(digest=DigestPace.WEEKLY)
HOUR = timedelta(hours=1)


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, organization: Organization) -> Iterator[PostOffice]:
    join(organization, *PEOPLE)
    tell()  # what other tests left
    forget()
    found = PostOffice()
    use(found, monkeypatch)
    yield found.open()
    found.close()
    monkeypatch.undo()
    settings.current.cache_clear()


def next_morning(weekday: int | None = None) -> datetime:
    """Return the next morning in UTC, the zone of the organization, or that of a weekday."""
    now = datetime.now(UTC)
    morning = now.replace(hour=7, minute=0, second=0, microsecond=0)
    morning += timedelta(days=int(morning <= now))
    while weekday is not None and morning.weekday() != weekday:
        morning += timedelta(days=1)
    return morning


def make(now: datetime) -> None:
    with db.everywhere() as connection:
        digest.make_due(connection, now)
    deliver(now)


def test_a_daily_digest_comes_each_morning_once(desk: Desk, office: PostOffice) -> None:
    notifications.wish(desk.organization, BEN, DAILY)
    notifications.wish(desk.organization, ANA, WEEKLY)
    desk.sync("locations", locations=BROKEN)
    morning = next_morning()
    make(morning - timedelta(minutes=1))
    assert office.mails == []
    for minutes in (0, 1, 600):
        make(morning + timedelta(minutes=minutes))
    make(morning + timedelta(days=1))
    assert len(office.to(BEN.email)) == 2
    first = text_of(office.to(BEN.email)[0])
    assert "1 run: 1 partial" in first
    assert "Rows: 1 failed" in first
    assert "Last sync, partly: " in first


def test_a_weekly_digest_comes_on_monday(desk: Desk, office: PostOffice) -> None:
    notifications.wish(desk.organization, BEN, WEEKLY)
    monday = next_morning(0)
    for day in range(9):
        make(monday - timedelta(days=1) + timedelta(days=day))
    assert len(office.to(BEN.email)) == 2
    assert "Nothing was synced in this time." in text_of(office.to(BEN.email)[1])


def test_two_loops_make_a_digest_once(desk: Desk, office: PostOffice) -> None:
    notifications.wish(desk.organization, BEN, DAILY)
    morning = next_morning()
    make(morning)
    address, content = Address(email=BEN.email), outbox.Content(MessageForm.DIGEST)
    with db.everywhere() as connection:  # another loop, which had looked before
        once = f"digest of {morning.date()}"
        outbox.add(connection, desk.organization.id, address, content, morning, once=once)
    make(morning + HOUR)
    assert len(office.to(BEN.email)) == 1


@pytest.mark.parametrize(("person", "sees"), [(ANA, True), (DAN, False)])
def test_the_end_of_the_chain_leaves_the_house_and_can_be_checked(
    desk: Desk, office: PostOffice, tmp_path: Path, person: Person, *, sees: bool
) -> None:
    notifications.wish(desk.organization, person, DAILY)
    desk.sync("locations", locations=BROKEN)
    make(next_morning())
    (mail,) = office.to(person.email)
    noted = [line for line in text_of(mail).splitlines() if line.startswith('{"at"')]
    assert bool(noted) == sees
    if sees:
        kept = tmp_path / "heads.jsonl"
        kept.write_text(noted[0])
        with db.everywhere() as connection:
            assert heads.check(connection, kept) == (1, [])
        kept.write_text(noted[0].replace('"head": "', '"head": "00'))
        with db.everywhere() as connection:
            assert heads.check(connection, kept)[0] == 0


def test_the_digest_of_an_organization_carries_the_head_too(desk: Desk, office: PostOffice) -> None:
    to = "team@example.org"
    notifications.add_channel(desk.organization, ANA, "team", ChannelKind.EMAIL, to, DAILY)
    make(next_morning())
    (mail,) = office.to(to)
    assert '"head":' in text_of(mail)
    assert "&#34;head&#34;:" in html_of(mail)


def test_who_ends_the_mails_gets_no_digest(desk: Desk, office: PostOffice) -> None:
    notifications.wish(desk.organization, BEN, DAILY)
    notifications.wish(desk.organization, BEN, DAILY.without_mails())
    make(next_morning())
    assert office.mails == []


@pytest.mark.parametrize("zone", ["Australia/Sydney", "America/New_York", "Europe/London"])
def test_a_year_has_one_digest_a_day_at_seven_in_its_zone(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    daily = Subscription(1, zone, Address(email="x@x.org"), DigestPace.DAILY, start)
    weekly = Subscription(1, zone, Address(email="x@x.org"), DigestPace.WEEKLY, start)
    mornings, mondays = Counter[datetime](), Counter[datetime]()
    for half_hour in range(366 * 48):
        now = start + timedelta(minutes=30 * half_hour)
        for one, found in ((daily, mornings), (weekly, mondays)):
            due = one.due(now)
            if due is not None:
                assert due <= now
                found[due] += 1
    assert 364 <= len(mornings) <= 366
    assert all((due.hour, due.minute) == (7, 0) for due in mornings)
    assert {due.weekday() for due in mondays} == {0}
    assert 51 <= len(mondays) <= 53


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1)))  # noqa: DTZ001 - hypothesis adds the zone
def test_no_digest_is_due_before_it_was_asked_for(now: datetime) -> None:
    asked = Subscription(1, "UTC", Address(email="x@x.org"), DigestPace.WEEKLY, now)
    assert asked.due(now) in {None, now}


def test_digests_follow_the_zone_of_the_organization(office: PostOffice) -> None:
    with db.everywhere() as connection:
        slug = f"o-{datetime.now(UTC).timestamp():.6f}".replace(".", "-")
        perth = organizations.add(connection, slug, "Perth Care", time_zone="Australia/Perth")
    join(perth, BEN)
    notifications.wish(perth, BEN, DAILY)
    at = datetime.now(UTC).replace(hour=23, minute=0, second=0, microsecond=0)
    at += timedelta(days=1)  # seven in the morning, in Perth
    make(at - HOUR / 60)
    before = len(office.to(BEN.email))
    make(at)
    assert len(office.to(BEN.email)) == before + 1
