"""What a drawer removes is gone from the list behind it, and the page says so."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import App, Visit

OLIVE = "olive.park@example.org"


def add_person(page: Page, app: App) -> None:
    app.command("person", "set", OLIVE, "Olive Park", "--role", "viewer")
    page.reload()


def add_channel(page: Page, _app: App) -> None:
    page.get_by_label("Name", exact=True).fill("front-desk")
    page.get_by_role("textbox", name="Address").fill("desk@example.org")
    page.get_by_role("button", name="Add", exact=True).click()


def add_token(page: Page, _app: App) -> None:
    page.get_by_label("Name", exact=True).fill("Front desk")
    page.get_by_role("button", name="Make", exact=True).click()


@pytest.mark.parametrize(
    ("tab", "add", "row", "verb", "told", "undone"),
    [
        (
            "People",
            add_person,
            "Olive Park",
            "Remove Olive Park",
            "Olive Park was removed.",
            "Olive Park is invited again.",
        ),
        (
            "Notifications",
            add_channel,
            "front-desk",
            "Remove front-desk",
            "The channel front-desk was removed.",
            "It is as it was before.",
        ),
        (
            "Tokens",
            add_token,
            "Front desk",
            "Revoke Front desk",
            "The token Front desk was revoked.",
            None,
        ),
    ],
)
def test_what_a_drawer_removes_is_gone_from_the_list_and_comes_back_by_undo(
    visit: Visit,
    app: App,
    tab: str,
    add: Callable[[Page, App], None],
    row: str,
    verb: str,
    told: str,
    undone: str | None,
) -> None:
    page = visit().open("/settings")
    page.get_by_role("tab", name=tab).click()
    add(page, app)
    listed = page.locator("[data-ready] tr[data-opens]").filter(has_text=row)
    expect(listed).to_have_count(1)
    listed.click()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name=verb).click()
    drawer.locator(".st-key-make-change").get_by_role("button", name=verb).click()
    expect(drawer).to_have_count(0)
    answer = page.locator(".st-key-answer")
    expect(answer).to_contain_text(told)
    expect(listed).to_have_count(0)
    expect(page).not_to_have_url(re.compile("(person|channel|program)="))
    undo = answer.get_by_role("button", name="Undo")
    if undone is None:
        expect(undo).to_have_count(0)
        return
    undo.click()
    expect(answer).to_contain_text(undone)
    expect(listed).to_have_count(1)
