"""Who is told what in the pages: once when a state changes, and once when it is over."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from sync_core import organizations
from sync_core.analytics import key_figures
from sync_core.foundation import db
from sync_core.foundation.vocabulary import NoticeKind, RunKind
from sync_core.notifications import news, notices, telling, wishes, words
from sync_core.notifications.wishes import Wish
from sync_core.operations import administration, syncs
from sync_core.organizations import Organization, policies
from sync_core.organizations.policies import Policy
from sync_core.runs import lease
from sync_core.runs.filters import Filter
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN, HEADER, LOCATIONS, row
from tests.support.telling import BEN, CLEO, DAN, PEOPLE, inbox, join, tell, told

NO_EMAIL = [HEADER, row("L1", "Harbour Clinic", Email="nobody")]


@pytest.fixture(autouse=True)
def _people(organization: Organization) -> None:
    join(organization, *PEOPLE)


def fail(desk: Desk) -> None:
    """Sync a source that is not there."""
    (desk.folder / "locations.csv").unlink(missing_ok=True)
    assert desk.sync("locations").status == "failed"


def test_a_failure_is_told_once_however_often_it_comes_and_its_end_once(desk: Desk) -> None:
    for _ in range(3):
        fail(desk)
        tell()
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("locations")
    tell()
    assert told(desk.organization, BEN) == ["failed", "recovered"]
    assert told(desk.organization, CLEO) == ["failed", "recovered"]
    assert told(desk.organization, DAN) == []  # a viewer, who wished for nothing


def test_who_asked_for_a_run_hears_of_each_end(desk: Desk) -> None:
    for _ in range(2):
        fail(desk)
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("locations")
    tell()
    assert told(desk.organization, ANA) == ["failed", "failed", "recovered", "succeeded"]
    assert all(notice.own for notice in inbox(desk.organization, ANA))


def test_another_reason_is_told_again_and_another_number_is_not(desk: Desk) -> None:
    desk.sync("locations", locations=BROKEN)
    desk.sync("locations", locations=[*BROKEN, row("L2", "Mill Clinic", Phone="nor this")])
    desk.sync("locations", locations=NO_EMAIL)
    fail(desk)
    tell()
    assert told(desk.organization, BEN) == ["partial", "partial", "failed"]


def test_a_suspicious_plan_is_told_to_those_who_may_decide(desk: Desk) -> None:
    many = [HEADER, *(row(f"L{n}") for n in range(40))]
    desk.sync("locations", locations=many)
    tell()
    waits = desk.sync("locations", locations=many[:5])
    assert waits.status == "waiting"
    tell()
    assert told(desk.organization, BEN) == ["waiting"]
    assert told(desk.organization, CLEO) == []
    syncs.cancel(desk.organization, waits.id, ANA)
    assert desk.sync("locations", locations=many[:5]).status == "waiting"
    tell()
    assert told(desk.organization, BEN) == ["waiting", "waiting"]  # it was decided in between


def test_an_undo_that_a_guard_holds_back_is_told_to_those_who_may_decide(desk: Desk) -> None:
    many = [HEADER, *(row(f"L{n}") for n in range(40))]
    run = desk.sync("locations", locations=many)
    held = desk.sync("locations", locations=many[:29])  # the same guard
    tell()
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    assert (held.status, undo.status) == ("waiting", "waiting")
    tell()
    assert told(desk.organization, BEN) == ["waiting", "waiting"]  # the sync, then the undo


def test_a_preview_concerns_only_who_asked_for_it(desk: Desk) -> None:
    desk.preview("locations", locations=LOCATIONS)
    tell()
    assert told(desk.organization, ANA) == ["waiting"]
    assert told(desk.organization, BEN) == []


def titles(desk: Desk) -> list[str]:
    """Return what Ana was told since she last read it, as it is called, oldest first."""
    tell()
    unread = [one for one in inbox(desk.organization, ANA) if one.read_at is None]
    with db.everywhere() as connection:
        found = words.titles(connection, desk.organization.id, unread)
        notices.mark_read(connection, desk.organization.id, ANA)
    return [title.removeprefix("Locations: ") for _, title in found]


def test_an_undo_is_told_as_what_it_is_whatever_becomes_of_it(desk: Desk) -> None:
    run = desk.sync("locations", locations=LOCATIONS)
    assert titles(desk) == ["synced"]
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    syncs.cancel(desk.organization, undo.id, ANA)
    plan = f"the plan to undo run {run.id}"
    assert titles(desk) == [f"{plan} was declined"]  # that it waited was over before it was told
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    assert titles(desk) == [f"{plan} waits for a decision"]
    syncs.confirm(desk.organization, undo.id, ANA, "test")
    syncs.cancel(desk.organization, undo.id, ANA)
    assert titles(desk) == [f"the undo of run {run.id} was cancelled"]
    undo = desk.work(syncs.undo(desk.organization, run.id, ANA, "test"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    assert titles(desk) == [f"run {run.id} undone"]


def test_a_plan_that_was_overtaken_by_a_sync_is_nobody_s_failure(desk: Desk) -> None:
    plan = desk.preview("locations", locations=LOCATIONS)
    assert titles(desk) == ["a plan waits for a decision"]
    desk.sync("locations")
    assert sorted(titles(desk)) == ["synced", "the plan was out of date"]
    assert desk.now(plan).status == "expired"
    assert "failed" not in told(desk.organization, BEN)
    with db.everywhere() as connection:
        found = key_figures.of_recovery(connection, Filter(organizations=(desk.organization.id,)))
    assert found.failures == 0


def test_a_preview_and_a_retry_are_told_as_what_they_are(desk: Desk) -> None:
    preview = desk.preview("locations", locations=BROKEN)
    assert titles(desk) == ["a plan waits for a decision"]
    syncs.cancel(desk.organization, preview.id, ANA)
    assert titles(desk) == ["the plan was declined"]
    preview = syncs.preview(desk.organization, "locations", ANA, "test")
    syncs.cancel(desk.organization, preview.id, ANA)
    assert titles(desk) == ["the preview was cancelled"]
    run = desk.sync("locations")
    assert titles(desk) == ["synced only in part"]
    retry = syncs.retry(desk.organization, run.id, ANA, "test")
    syncs.cancel(desk.organization, retry.id, ANA)
    assert titles(desk) == ["the sync of the fixed rows was cancelled"]
    desk.work(syncs.retry(desk.organization, run.id, ANA, "test"))
    assert titles(desk) == ["fixed rows synced only in part"]
    (desk.folder / "locations.csv").unlink()
    desk.work(syncs.preview(desk.organization, "locations", ANA, "test"))
    desk.work(syncs.retry(desk.organization, run.id, ANA, "test"))
    assert titles(desk) == ["the preview failed", "the sync of the fixed rows failed"]


@pytest.mark.parametrize("kind", NoticeKind)
def test_whatever_is_told_of_any_kind_of_run_is_in_words(kind: NoticeKind, desk: Desk) -> None:
    run = desk.start("locations")
    for of in RunKind:
        told_of = words.title(kind, "locations", replace(run, kind=of, undoes=7))
        assert re.fullmatch(r"Locations: [a-z0-9 ]+", told_of)
        assert "sync" not in told_of or of != RunKind.UNDO or kind == NoticeKind.RECOVERED


def test_a_wish_says_which_kinds_and_which_resources(desk: Desk) -> None:
    with db.everywhere() as connection:
        every = frozenset(NoticeKind)
        wishes.put(connection, desk.organization.id, DAN, Wish(every, frozenset({"locations"})))
        wishes.put(connection, desk.organization.id, BEN, Wish(every, frozenset({"admins"})))
        wishes.put(connection, desk.organization.id, CLEO, Wish())
    desk.sync("locations", locations=LOCATIONS)
    tell()
    assert told(desk.organization, DAN) == ["succeeded"]
    assert told(desk.organization, BEN) == told(desk.organization, CLEO) == []


def test_a_promise_is_told_when_it_is_broken_and_when_it_is_kept_again(desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    now = datetime.now(UTC)
    tell(now + timedelta(hours=23))
    assert told(desk.organization, BEN) == []
    tell(now + timedelta(hours=73))
    tell(now + timedelta(hours=74))
    assert told(desk.organization, BEN) == ["stale"]
    stale = inbox(desk.organization, BEN)[0]
    assert stale.text == "Last synced 3 days ago; the max age is 24 hours."
    assert words.title(stale.kind, stale.resource) == "Locations: older than its max age"
    desk.sync("locations")
    tell()
    assert told(desk.organization, BEN) == ["stale", "fresh"]


def test_a_longer_promise_is_kept_again_without_a_sync(desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    later = datetime.now(UTC) + timedelta(hours=30)
    tell(later)
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "locations", Policy(fresh_hours=48))
    tell(later)
    assert told(desk.organization, BEN) == ["stale", "fresh"]


def test_a_paused_schedule_is_told(organization: Organization) -> None:
    with db.everywhere() as connection:
        news.paused(connection, organization.id, "locations", "The sheet is gone. Set another.")
    tell()
    assert [(one.kind, one.text) for one in inbox(organization, BEN)] == [
        (NoticeKind.PAUSED, "The sheet is gone. Set another.")
    ]


def test_news_are_rolled_back_with_what_they_tell(organization: Organization) -> None:
    with db.undone(organization.id) as connection:
        news.paused(connection, organization.id, "locations", "It never was.")
    tell()
    assert told(organization, BEN) == []


def test_a_run_whose_end_is_rolled_back_is_no_news(desk: Desk) -> None:
    run = desk.start("locations")
    with db.everywhere() as connection:
        held = lease.claim(connection, run.id, "a worker of the test")
    assert held is not None
    with db.undone(desk.organization.id) as connection:
        lease.finish(connection, held, lease.cancelled())
        query = "select count(*) from news where run_id = %(run)s"
        assert connection.exec_driver_sql(query, {"run": run.id}).scalar() == 1
    tell()
    assert told(desk.organization, ANA) == []
    with db.everywhere() as connection:
        lease.finish(connection, held, lease.cancelled())
    tell()
    assert told(desk.organization, ANA) == ["cancelled"]


def test_news_that_cannot_be_told_hold_up_nothing(desk: Desk, database: psycopg.Connection) -> None:
    database.execute(
        "insert into news (organization_id, resource, run_id, status)"
        " select 0, 'locations', %s, 'failed'",  # of an organization that has no such run
        [desk.sync("locations", locations=LOCATIONS).id],
    )
    fail(desk)
    tell()
    assert told(desk.organization, BEN) == ["failed"]


def test_two_loops_tell_each_thing_once(desk: Desk) -> None:
    fail(desk)
    now = datetime.now(UTC)
    with db.everywhere() as one, db.everywhere() as other:
        telling.tell(one, now)
        assert telling.tell(other, now) == []
    tell()
    assert told(desk.organization, BEN) == ["failed"]


def test_who_has_read_a_notice_has_fewer_that_are_new(desk: Desk) -> None:
    fail(desk)
    desk.sync("locations", locations=LOCATIONS)
    tell()
    of = desk.organization.id
    first, second = inbox(desk.organization, BEN)
    with db.everywhere() as connection:
        assert notices.unread(connection, of, BEN) == 2
        notices.mark_read(connection, of, BEN, [first.id])
        assert notices.unread(connection, of, BEN) == 1
        assert notices.unread(connection, of, ANA) == 2
        assert notices.of_person(connection, of, BEN, after=first.id) == [second]
        assert second.run_id
        notices.mark_run_read(connection, of, BEN, second.run_id)
        assert notices.unread(connection, of, BEN) == 0
        assert notices.unread(connection, of, ANA) == 2
        notices.mark_read(connection, of, ANA)
        assert notices.unread(connection, of, ANA) == 0


def test_nobody_reads_the_notices_of_another_organization(desk: Desk) -> None:
    fail(desk)
    tell()
    with db.everywhere() as connection:
        other = organizations.add(connection, f"o-{uuid.uuid4().hex[:12]}", "Southwind Care")
        (notice,) = notices.of_person(connection, desk.organization.id, BEN)
        assert notice.run_id
        notices.mark_read(connection, other.id, BEN, [notice.id])
        notices.mark_run_read(connection, other.id, BEN, notice.run_id)
        assert notices.of_person(connection, other.id, BEN) == []
        assert notices.unread(connection, desk.organization.id, BEN) == 1


def test_who_left_is_told_nothing(desk: Desk) -> None:
    administration.remove_person(desk.organization, ANA, BEN.email)
    fail(desk)
    tell()
    assert told(desk.organization, BEN) == []


def test_old_notices_are_dropped(desk: Desk) -> None:
    fail(desk)
    tell()
    with db.everywhere() as connection:
        notices.drop_old(connection, datetime.now(UTC) + timedelta(days=89))
        assert notices.unread(connection, desk.organization.id, BEN) == 1
    with db.undone(desk.organization.id) as connection:
        notices.drop_old(connection, datetime.now(UTC) + timedelta(days=91))
        assert notices.unread(connection, desk.organization.id, BEN) == 0
