"""My notifications, and the channels and messages of an organization in its settings."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import DigestPace, NoticeKind
from sync_core.notifications import channels, wishes
from sync_core.notifications.wishes import Wish
from sync_core.organizations import Organization, people
from tests.support.pages import Visit, column, healthy, rows
from tests.support.post import PostOffice, deliver, forget, use
from tests.support.telling import tell

VERA = "vera.olsen@example.org"


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, servers: object) -> Iterator[PostOffice]:
    assert servers
    tell()  # what other tests left
    forget()
    found = PostOffice()
    use(found, monkeypatch)
    yield found.open()
    found.close()
    monkeypatch.undo()
    settings.current.cache_clear()


def press(page: AppTest, label: str) -> AppTest:
    (button,) = [button for button in page.button if button.label == label]
    button.click()
    return healthy(page.run())


def settings_tab(visit: Visit) -> AppTest:
    page = visit("settings")
    page.session_state["settings-tab"] = "Notifications"
    return healthy(page.run())


def messages(page: AppTest) -> list[list[str]]:
    return [
        [row[name] for name in ("To", "What", "Last error")] for row in rows(page, "Messages of")
    ]


def test_what_somebody_wishes_is_kept_and_shown(visit: Visit, organization: Organization) -> None:
    page = visit("notifications", VERA)
    page.multiselect("kinds-mine").set_value([NoticeKind.STALE, NoticeKind.SUCCEEDED])
    page.multiselect("resources-mine").set_value(["locations"])
    page.toggle[0].set_value(True)
    page.selectbox("digest-mine").set_value(DigestPace.WEEKLY)
    press(page, "Save")
    with db.everywhere() as connection:
        vera = people.find(connection, organization.id, VERA)
        assert vera is not None
        kept = wishes.of_person(connection, organization.id, vera)
    kinds = frozenset({NoticeKind.STALE, NoticeKind.SUCCEEDED})
    wanted = Wish(kinds, frozenset({"locations"}), by_mail=True, digest=DigestPace.WEEKLY)
    assert kept == wanted
    again = visit("notifications", VERA)
    assert again.multiselect("resources-mine").value == ["locations"]
    assert again.toggle[0].value


def test_a_test_mail_is_offered_where_mails_are_set_up(visit: Visit) -> None:
    page = visit("notifications", VERA)
    assert "test-mail" not in {button.key for button in page.button}
    assert any("Ask an administrator" in caption.value for caption in page.caption)
    page = visit("notifications")
    assert any("README" in caption.value for caption in page.caption)


def test_a_test_mail_arrives(visit: Visit, office: PostOffice) -> None:
    press(visit("notifications", VERA), "Send a test mail")
    deliver(datetime.now(UTC))
    assert [mail["To"] for mail in office.mails] == [VERA]


def test_an_administrator_adds_a_channel_and_sees_why_a_test_failed(
    visit: Visit, organization: Organization
) -> None:
    page = settings_tab(visit)
    page.text_input("channel-name").set_value("ops")
    page.selectbox("channel-kind").set_value("slack")
    press(page, "Add")
    with db.everywhere() as connection:
        (channel,) = channels.everyone(connection, organization.id)
    assert channel.wish.kinds == frozenset(wishes.usual(people_of(organization)).kinds)
    name = f"SYNCDESK_CHAT_URL_{organization.slug.upper().replace('-', '_')}__OPS"
    assert column(page, "Where") == [f"{name} is not set"]
    page.query_params["channel"] = "ops"
    press(page.run(), "Send a test")
    deliver(datetime.now(UTC))
    assert messages(settings_tab(visit)) == [["ops", "Test", f"{name} is not set."]]


def people_of(organization: Organization) -> people.Person:
    with db.everywhere() as connection:
        found = people.find(connection, organization.id, "ana.ruiz@example.org")
    assert found is not None
    return found


def test_a_name_that_cannot_be_is_told_on_the_page(visit: Visit) -> None:
    page = settings_tab(visit)
    page.text_input("channel-name").set_value("Ops team")
    page = press(page, "Add")
    assert any("cannot be the name of a channel" in alert.proto.title for alert in page.error)
