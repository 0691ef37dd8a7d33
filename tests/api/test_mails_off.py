"""The link that ends mails, as a person and as a mail program open it."""

from collections.abc import Iterator

import httpx2
import pytest

from sync_core.foundation import db, settings
from sync_core.notifications import unsubscribe, wishes
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from tests.support.api_server import Server
from tests.support.post import PAGES, PostOffice, use

ANA = "ana.ruiz@example.org"


@pytest.fixture
def link(server: Server, home: Organization, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    use(PostOffice(), monkeypatch)
    address = unsubscribe.address(home.id, ANA)
    assert address is not None
    yield address.replace(PAGES, server.url)
    monkeypatch.undo()
    settings.current.cache_clear()


def gets_mails(home: Organization) -> bool:
    with db.everywhere() as connection:
        ana = people.find(connection, home.id, ANA)
        assert isinstance(ana, Person)
        return wishes.of_person(connection, home.id, ana).by_mail


def test_to_open_the_link_changes_nothing_and_offers_a_button(
    link: str, home: Organization
) -> None:
    answer = httpx2.get(link)
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert gets_mails(home)


def test_a_mail_program_ends_the_mails_with_one_request(link: str, home: Organization) -> None:
    answer = httpx2.post(link, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert f"{ANA} gets no more mails about {home.name}." in answer.text
    assert not gets_mails(home)


def test_a_forged_link_ends_nothing(link: str, home: Organization) -> None:
    answer = httpx2.post(f"{link}x")
    assert (answer.status_code, answer.json()["code"]) == (404, "bad_mail_link")
    assert gets_mails(home)
