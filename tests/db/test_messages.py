"""Mails and channels, with a real mail server and a real receiver on loopback."""

import base64
import csv
import hashlib
import hmac
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

import pytest

from sync_core import runs
from sync_core.catalogue.issue import Issue
from sync_core.execution import maintenance
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import ChannelKind, NoticeKind, RunStatus
from sync_core.notifications import mails, news, notices, outbox, unsubscribe, wishes
from sync_core.notifications.channels import Channel
from sync_core.notifications.wishes import Wish
from sync_core.operations import administration, notifications
from sync_core.organizations import Organization
from sync_core.organizations.people import Person
from sync_core.runs import lease
from sync_core.runs.lease import RunResult
from sync_core.sources import way_out
from tests.support import processes
from tests.support.clinic import Clinic
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN, LOCATIONS
from tests.support.post import (
    KEY,
    PAGES,
    PostOffice,
    Receiver,
    deliver,
    forget,
    html_of,
    text_of,
    use,
)
from tests.support.telling import BEN, CLEO, DAN, PEOPLE, inbox, join, tell, told
from tests.support.waiting import eventually

EVERY = Wish(frozenset(NoticeKind))
HOSTILE = '<img src=x onerror=alert(1)>\r\nBcc: all@example.org "*|`'


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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def fail(desk: Desk) -> None:
    (desk.folder / "locations.csv").unlink(missing_ok=True)
    assert desk.sync("locations").status == "failed"


def in_outbox(organization: Organization) -> list[outbox.Message]:
    with db.everywhere() as connection:
        return outbox.latest(connection, organization.id)


def wish(organization: Organization, person: Person, wanted: Wish) -> None:
    notifications.wish(organization, person, wanted)


def test_a_failure_is_mailed_to_those_who_sync_with_a_link_and_an_end(
    desk: Desk, office: PostOffice
) -> None:
    fail(desk)
    now = datetime.now(UTC)
    tell(now)
    deliver(now)
    assert Counter(mail["To"] for mail in office.mails) == {ANA.email: 1, BEN.email: 1}
    (mail,) = office.to(BEN.email)
    assert mail["Subject"] == "Locations: the sync failed (Northwind Care)"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    ends = unsubscribe.address(desk.organization.id, BEN.email)
    assert mail["List-Unsubscribe"] == f"<{ends}>"
    assert f"\r\nList-Unsubscribe: <{ends}>\r\n".encode() in office.raw[office.mails.index(mail)]
    link = f"{PAGES}/runs?org={desk.organization.slug}&id="
    for body in (text_of(mail), html_of(mail).replace("&amp;", "&")):
        assert link in body
        assert ends is not None
        assert ends in body
        assert "locations.csv" in body  # why it failed
    deliver(now + timedelta(hours=2))
    assert len(office.mails) == 2


def test_what_succeeds_is_mailed_only_to_who_wishes_it(desk: Desk, office: PostOffice) -> None:
    wish(desk.organization, DAN, Wish(frozenset({NoticeKind.SUCCEEDED}), by_mail=True))
    desk.sync("locations", locations=LOCATIONS)
    tell()
    deliver(datetime.now(UTC))
    assert [mail["To"] for mail in office.mails] == [DAN.email]
    assert "Processed 2 locations: 2 created" in text_of(office.mails[0])


def test_a_storm_of_failures_is_two_messages_a_person(
    organization: Organization, office: PostOffice
) -> None:
    """A hundred runs fail in an hour, of two resources, each time for another reason."""
    now = datetime.now(UTC)
    for number in range(100):
        at = now + timedelta(seconds=36 * number)
        code = ("source_silent", "source_gone", "missing_sheet")[number % 3]
        end_run(organization, ("locations", "admins")[number % 2], RunStatus.FAILED, code)
        tell(at)
        deliver(at)
    deliver(now + timedelta(minutes=60))
    deliver(now + timedelta(hours=9))
    assert Counter(mail["To"] for mail in office.mails) == {ANA.email: 2, BEN.email: 2}
    collected = text_of(office.to(BEN.email)[1])
    assert "Locations: the sync failed" in collected
    assert "49 times lately" in collected
    with db.everywhere() as connection:
        assert notices.unread(connection, organization.id, BEN) == 100  # the pages keep each


def end_run(organization: Organization, resource: str, status: RunStatus, code: str) -> None:
    """Let a run end as a worker would, without a source to read."""
    with db.everywhere() as connection:
        run = runs.start(connection, organization.id, resource, ANA, trigger="test")
        held = lease.claim(connection, run.id, "a worker of the test")
        assert held is not None
        lease.finish(connection, held, RunResult(status, f"It broke: {code}.", error_code=code))


def test_news_after_quiet_times_go_at_once(desk: Desk, office: PostOffice) -> None:
    now = datetime.now(UTC)
    fail(desk)
    tell(now)
    deliver(now)
    desk.sync("locations", locations=LOCATIONS)
    tell(now + timedelta(minutes=61))
    deliver(now + timedelta(minutes=61))
    assert [m["Subject"].split(" (")[0] for m in office.to(BEN.email)] == [
        "Locations: the sync failed",
        "Locations: syncs again",
    ]


def test_a_server_that_is_down_is_tried_again_until_it_is_up(
    desk: Desk, office: PostOffice
) -> None:
    office.close()
    now = datetime.now(UTC)
    fail(desk)
    tell(now)
    assert deliver(now) >= 2
    assert deliver(now + timedelta(seconds=59)) == 0
    deliver(now + timedelta(seconds=61))
    (waiting,) = [m for m in in_outbox(desk.organization) if m.address.email == BEN.email]
    assert (waiting.tries, waiting.sent_at) == (2, None)
    assert waiting.last_error == "The mail server did not answer (ConnectionRefusedError)."
    office.open()
    deliver(now + timedelta(seconds=62))
    assert office.mails == []
    deliver(now + timedelta(minutes=4))
    assert Counter(mail["To"] for mail in office.mails) == {ANA.email: 1, BEN.email: 1}


def test_a_server_that_is_silent_keeps_nobody_else_waiting(
    desk: Desk, receiver: Receiver, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mail would wait for it in vain; a chat that comes after them does not."""
    calls: list[socket.socket] = []
    monkeypatch.setattr(mails, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=lambda: calls.append(silent.accept()[0]), daemon=True).start()
        given = {variable(desk.organization, "SYNCDESK_CHAT_URL"): receiver.address}
        server = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        use(office, monkeypatch, SYNCDESK_MAIL_SERVER=server, **given)
        add_channel(desk.organization, ChannelKind.SLACK)
        fail(desk)
        tell()
        deliver(datetime.now(UTC))
    (call,) = calls
    call.close()
    assert len(receiver.posted) == 1
    errors = {m.last_error for m in in_outbox(desk.organization) if m.address.email}
    assert errors == {"The mail server did not answer (SMTPServerDisconnected)."}


def test_what_happens_while_the_server_is_down_is_one_mail(desk: Desk, office: PostOffice) -> None:
    office.close()
    now = datetime.now(UTC)
    fail(desk)
    tell(now)
    deliver(now)
    desk.sync("locations", locations=LOCATIONS)
    tell(now + timedelta(hours=5))
    office.open()
    deliver(now + timedelta(hours=6))
    (mail,) = office.to(BEN.email)
    assert text_of(mail).index("syncs again") < text_of(mail).index("the sync failed")


def test_a_message_is_given_up_after_a_day(desk: Desk, office: PostOffice) -> None:
    office.unknown.add(BEN.email)
    now = datetime.now(UTC)
    fail(desk)
    tell(now)
    tries = 0
    for minute in range(0, 25 * 60, 45):
        tries += deliver(now + timedelta(minutes=minute))
    (message,) = [m for m in in_outbox(desk.organization) if m.address.email == BEN.email]
    assert message.given_up_at is not None
    assert now + timedelta(hours=24) <= message.given_up_at <= now + timedelta(hours=25)
    assert message.last_error.startswith("The mail server refused the address: 550 5.1.1 no such")
    assert 20 < tries < 40
    assert len(office.to(ANA.email)) == 1


def test_two_loops_deliver_each_message_once(desk: Desk, office: PostOffice) -> None:
    fail(desk)
    now = datetime.now(UTC)
    tell(now)
    loops = [threading.Thread(target=deliver, args=(now,)) for _ in range(2)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert Counter(mail["To"] for mail in office.mails) == {ANA.email: 1, BEN.email: 1}


@pytest.mark.alone
@pytest.mark.usefixtures("own_redis")
def test_processes_of_maintenance_tell_each_thing_once_while_they_are_killed(
    organization: Organization, office: PostOffice
) -> None:
    eventually(lambda: not processes.left())  # an earlier test's would tell it, and mail nothing
    loops = [processes.start(maintenance.main) for _ in range(2)]
    try:
        for number in range(12):
            code = ("source_silent", "missing_sheet")[number % 2]
            end_run(organization, "locations", RunStatus.FAILED, code)
            if number == 4:
                eventually(lambda: office.to(BEN.email) and office.to(ANA.email))
                processes.kill(loops[0].pid)
                loops.append(processes.start(maintenance.main))
        eventually(lambda: len(told(organization, BEN)) >= 12)
        for loop in loops[1:]:
            processes.end(loop)
    finally:
        processes.end_all(loops)
    tell()
    runs_told = Counter(notice.run_id for notice in inbox(organization, BEN))
    assert (len(runs_told), set(runs_told.values())) == (12, {1})
    assert Counter(mail["To"] for mail in office.mails) == {ANA.email: 1, BEN.email: 1}


def test_what_a_loop_that_died_had_in_hand_is_delivered_by_the_next(
    desk: Desk, office: PostOffice
) -> None:
    fail(desk)
    now = datetime.now(UTC)
    tell(now)
    with db.everywhere() as connection:
        taken = {outbox.claim(connection, now), outbox.claim(connection, now)}
    assert None not in taken
    assert deliver(now + timedelta(minutes=4)) == 0
    deliver(now + timedelta(minutes=6))
    assert len(office.mails) == 2


def test_the_failed_rows_go_with_the_mail_as_each_may_see_them(
    small: Clinic, office: PostOffice, tamper: Callable[..., None]
) -> None:
    for person in (BEN, CLEO, DAN):
        wish(small.organization, person, Wish(EVERY.kinds, by_mail=True, failed_rows=True))
    visits = small.account.known("individual_appointments")
    visit = next(one for one in visits if not one.cancelled_at)
    small.account.change("individual_appointments", visit.id, patient=["odd"])
    run = small.sync()
    assert run.status == "partial"
    tamper(  # a patient fails no more for a single cell, but did so in older runs
        "insert into outcomes (run_id, entity, kind, row_number, raw, issues, at) values"
        " (%s, 'patients', 'failed', 7, %s, %s, %s)",
        run.id,
        json.dumps({"Last name": "=Hartmann()"}),
        json.dumps([Issue("Last name", "unreadable", "Last name cannot be read", "B7").as_json()]),
        run.finished_at,
    )
    tell()
    deliver(datetime.now(UTC))
    rows = {to: list(csv.reader(files(office, to))) for to in (BEN.email, CLEO.email)}
    assert [len(found) for found in rows.values()] == [3, 3]
    assert "'=Hartmann()" in rows[BEN.email][2]  # a spreadsheet does not run it
    assert "Hartmann" not in str(rows[CLEO.email])  # who may see no personal data
    (without,) = office.to(DAN.email)  # a viewer may have no file
    assert list(without.iter_attachments()) == []
    assert not any("Hartmann" in text_of(mail) for mail in office.mails)


def files(office: PostOffice, to: str) -> list[str]:
    (mail,) = office.to(to)
    (attached,) = mail.iter_attachments()
    content = attached.get_content()
    text = content if isinstance(content, str) else content.decode()
    return text.removeprefix("\ufeff").splitlines()


def test_hostile_names_and_cells_are_text_in_a_mail(desk: Desk, office: PostOffice) -> None:
    with db.everywhere() as connection:
        connection.exec_driver_sql(
            "update organizations set name = %(name)s where id = %(id)s",
            {"name": HOSTILE, "id": desk.organization.id},
        )
    say(desk.organization, HOSTILE)
    tell()
    deliver(datetime.now(UTC))
    (mail,) = office.to(BEN.email)
    assert mail["Bcc"] is None
    assert "\n" not in mail["Subject"]
    assert "<img" not in html_of(mail)
    assert html_of(mail).count(escape("<img src=x onerror=alert(1)>")) == 2  # title and body
    assert "<img src=x onerror=alert(1)> Bcc: all@example.org" in text_of(mail)
    assert not any(line.startswith("Bcc:") for line in text_of(mail).splitlines())


def test_maintenance_tells_and_delivers(desk: Desk, office: PostOffice) -> None:
    fail(desk)
    maintenance.tick()
    courier = maintenance.Courier()
    courier.keep()
    assert eventually(lambda: office.to(BEN.email))
    courier.keep()
    assert len(office.to(BEN.email)) == 1


def say(organization: Organization, text: str) -> None:
    """Let people be told a text as it came from outside."""
    with db.everywhere() as connection:
        news.paused(connection, organization.id, "locations", text)


def test_a_link_ends_the_mails_of_one_person_and_only_a_whole_one(
    desk: Desk, office: PostOffice
) -> None:
    address = unsubscribe.address(desk.organization.id, BEN.email)
    assert address is not None
    ticket = address.partition("ticket=")[2]
    for forged in (ticket[:-2], ticket.replace(".", "x."), "", f"{ticket}x"):
        with pytest.raises(SyncError, match="not one of ours"):
            notifications.end_mails(forged)
    assert notifications.end_mails(ticket) == (desk.organization, BEN)
    assert notifications.end_mails(ticket) == (desk.organization, BEN)
    fail(desk)
    tell()
    deliver(datetime.now(UTC))
    assert [mail["To"] for mail in office.mails] == [ANA.email]
    assert told(desk.organization, BEN) == ["failed"]  # the pages tell it still


@pytest.mark.parametrize("again", [False, True], ids=["gone", "a place is offered anew"])
def test_who_left_before_the_delivery_gets_nothing(
    desk: Desk, office: PostOffice, *, again: bool
) -> None:
    fail(desk)
    tell()
    administration.remove_person(desk.organization, ANA, BEN.email)
    if again:  # they have not taken it
        administration.put_person(desk.organization, ANA, BEN)
    deliver(datetime.now(UTC))
    assert [mail["To"] for mail in office.mails] == [ANA.email]
    (message,) = [m for m in in_outbox(desk.organization) if m.address.email == BEN.email]
    assert message.given_up_at is not None


def add_channel(organization: Organization, kind: ChannelKind, location: str = "") -> Channel:
    return notifications.add_channel(organization, ANA, "ops", kind, location, EVERY)


def variable(organization: Organization, prefix: str) -> str:
    return f"{prefix}_{organization.slug.upper().replace('-', '_')}__OPS"


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(
    desk: Desk, receiver: Receiver, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(office, monkeypatch, **{variable(desk.organization, "SYNCDESK_WEBHOOK_KEY"): KEY})
    add_channel(desk.organization, ChannelKind.WEBHOOK, receiver.address)
    run = desk.sync("locations", locations=BROKEN)
    now = datetime.now(UTC)
    tell(now)
    deliver(now)
    (posted,) = receiver.posted
    sent = posted.headers
    assert sent["webhook-timestamp"] == str(int(now.timestamp()))
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + posted.body
    digest = hmac.digest(KEY.encode(), signed, hashlib.sha256)
    assert sent["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    read = {name.title(): value for name, value in sent.items()}
    assert is_genuine()(read, posted.body, KEY)
    assert not is_genuine()(read, posted.body + b" ", KEY)
    told_it = json.loads(posted.body)
    assert told_it["organization"] == desk.organization.slug
    (event,) = told_it["events"]
    assert (event["kind"], event["resource"], event["run"]) == ("partial", "locations", run.id)
    assert event["counts"]["failed"] == 1


def is_genuine() -> Callable[[dict[str, str], bytes, str], bool]:
    """Return the check that the documentation shows to who receives a webhook."""
    document = (settings.ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.+?)```", document, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is ours
    check: Callable[[dict[str, str], bytes, str], bool] = names["is_genuine"]
    return check


@pytest.mark.parametrize("kind", [ChannelKind.SLACK, ChannelKind.TEAMS, ChannelKind.GOOGLE_CHAT])
def test_a_chat_gets_text_that_is_no_markup(
    desk: Desk,
    receiver: Receiver,
    office: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
    kind: ChannelKind,
) -> None:
    name = variable(desk.organization, "SYNCDESK_CHAT_URL")
    use(office, monkeypatch, **{name: receiver.address})
    add_channel(desk.organization, kind)
    say(desk.organization, "<!channel> <users/all> [a](https://evil.example.org)")
    tell()
    deliver(datetime.now(UTC))
    (posted,) = receiver.posted
    body = json.loads(posted.body)
    assert "evil.example.org" in str(body)
    markup = [text for text in texts_with_markup(body) if "<!" in text or "<users" in text]
    assert markup == []


def texts_with_markup(body: object) -> Iterator[str]:
    """Return the texts of a body that the chat reads as markup."""
    if isinstance(body, dict):
        if body.get("type") == "mrkdwn" or "textParagraph" in body:
            yield json.dumps(body)
        for name, part in body.items():
            if name == "text" and isinstance(part, str) and "blocks" in body:
                yield part
            yield from texts_with_markup(part)
    if isinstance(body, list):
        for part in body:
            yield from texts_with_markup(part)


@pytest.mark.usefixtures("office")
def test_a_channel_without_its_secret_says_which_variable_is_missing(desk: Desk) -> None:
    channel = add_channel(desk.organization, ChannelKind.SLACK)
    notifications.try_channel(desk.organization, ANA, channel.id)
    deliver(datetime.now(UTC))
    (message,) = in_outbox(desk.organization)
    name = variable(desk.organization, "SYNCDESK_CHAT_URL")
    assert message.last_error == f"{name} is not set."


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fd00::1",  # noqa: S104
     "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1"],
)  # fmt: skip
def test_no_address_of_a_private_network_is_public(number: str) -> None:
    assert not way_out.is_public(number)


def test_addresses_of_the_internet_are_public() -> None:
    assert way_out.is_public("93.184.216.34")
    assert way_out.is_public("2606:2800:220:1::1")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_webhook_calls_no_private_address_unless_that_is_allowed(
    desk: Desk, receiver: Receiver, office: PostOffice, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    given = {variable(desk.organization, "SYNCDESK_WEBHOOK_KEY"): KEY}
    port = receiver.port
    use(office, monkeypatch, SYNCDESK_PRIVATE_HOSTS=f"127.0.0.1:{port + 1}", **given)
    channel = add_channel(desk.organization, ChannelKind.WEBHOOK, f"https://{host}:{port}")
    notifications.try_channel(desk.organization, ANA, channel.id)
    deliver(datetime.now(UTC))
    (message,) = in_outbox(desk.organization)
    assert "there is no such server on the internet" in message.last_error
    assert receiver.posted == []


def test_a_redirect_is_not_followed(
    desk: Desk, receiver: Receiver, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(office, monkeypatch, **{variable(desk.organization, "SYNCDESK_WEBHOOK_KEY"): KEY})
    receiver.status, receiver.location = 302, receiver.address
    channel = add_channel(desk.organization, ChannelKind.WEBHOOK, receiver.address)
    notifications.try_channel(desk.organization, ANA, channel.id)
    deliver(datetime.now(UTC))
    (message,) = in_outbox(desk.organization)
    assert message.last_error == "The webhook ops refused the message: it answered 302."
    assert len(receiver.posted) == 1


def test_a_test_mail_arrives(desk: Desk, office: PostOffice) -> None:
    notifications.try_mail(desk.organization, DAN)
    deliver(datetime.now(UTC))
    (mail,) = office.to(DAN.email)
    assert "This is a test" in text_of(mail)


def test_a_server_that_wants_a_sign_in_gets_it(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.password = "made up"  # noqa: S105 - so it is
    for password, told_it in (("wrong", "The mail server refused the sign-in (535)."), ("", "")):
        given = {
            "SYNCDESK_MAIL_USER": "sync",
            "SYNCDESK_MAIL_PASSWORD": password or office.password,
        }
        use(office, monkeypatch, **given)
        notifications.try_mail(desk.organization, DAN)
        deliver(datetime.now(UTC))
        assert in_outbox(desk.organization)[0].last_error == told_it
    assert len(office.to(DAN.email)) == 1


def test_no_mail_leaves_this_machine_without_tls(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PostOffice(host="127.0.0.2").open()  # which counts as another machine
    use(other, monkeypatch, SYNCDESK_MAIL_SERVER=f"smtp://{other.host}:{other.port}")
    notifications.try_mail(desk.organization, DAN)
    deliver(datetime.now(UTC))
    other.close()
    assert other.mails == office.mails == []
    (message,) = in_outbox(desk.organization)
    assert message.last_error == "The mail server offers no TLS, or no sign-in."


def test_a_channel_is_told_no_more_once_it_is_removed(desk: Desk, office: PostOffice) -> None:
    channel = add_channel(desk.organization, ChannelKind.EMAIL, "team@example.org")
    fail(desk)
    tell()
    notifications.remove_channel(desk.organization, ANA, channel.id)
    deliver(datetime.now(UTC))
    assert office.to("team@example.org") == []


@pytest.mark.parametrize(
    ("name", "kind", "location", "code"),
    [
        ("Ops team", ChannelKind.SLACK, "", "bad_channel_name"),
        ("a--b", ChannelKind.SLACK, "", "bad_channel_name"),
        ("ops", ChannelKind.EMAIL, "nobody", "bad_address"),
        ("ops", ChannelKind.WEBHOOK, "file:///etc/passwd", "bad_webhook"),
        ("ops", ChannelKind.WEBHOOK, "https://u:p@example.org/", "bad_webhook"),
    ],
)
@pytest.mark.usefixtures("office")
def test_a_channel_that_cannot_be_is_refused(
    organization: Organization,
    name: str,
    kind: ChannelKind,
    location: str,
    code: str,
) -> None:
    with pytest.raises(SyncError) as refused:
        notifications.add_channel(organization, ANA, name, kind, location, EVERY)
    assert refused.value.code == code


@pytest.mark.usefixtures("office")
def test_wishes_stay_as_they_were_kept(organization: Organization) -> None:
    wanted = Wish(frozenset({NoticeKind.STALE}), frozenset({"admins"}), by_mail=True)
    wish(organization, CLEO, wanted)
    with db.everywhere() as connection:
        assert wishes.of_person(connection, organization.id, CLEO) == wanted
        assert wishes.of_person(connection, organization.id, BEN) == wishes.usual(BEN)
