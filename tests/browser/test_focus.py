"""Whoever uses the keyboard sees where it is, and is back there once what they opened is closed."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import App, Visit

IS_SEEN = """
() => {
  const element = document.activeElement, style = getComputedStyle(element)
  const field = element.matches("input, textarea") ? element.parentElement : element
  const around = getComputedStyle(field)
  const has = one => one.outlineStyle !== "none" && parseFloat(one.outlineWidth) > 0
  const outlined = has(style) || has(around)
  const edge = around.borderColor === "rgb(36, 83, 214)"
  const seen = outlined || style.boxShadow !== "none" || edge
  return [element === document.body, seen, element.outerHTML.slice(0, 120)]
}
"""
STOPS = 45  # of the Tab key, from the top of a page
OPENERS: dict[str, tuple[str, Callable[[Page], Locator]]] = {
    "preferences": ("/help", lambda page: page.locator(".st-key-open-preferences button").first),
    "a row": ("/admins", lambda page: page.locator("tr[data-opens]").nth(2)),
    "a person": ("/settings", lambda page: page.locator("tr[data-opens]").nth(1)),
    "somebody new": ("/settings", lambda page: page.locator(".st-key-add-person button").first),
    "a file": ("/locations", lambda page: page.get_by_role("button", name="From a file")),
}


@pytest.fixture(scope="module")
def _synced(app: App) -> None:
    app.command("sync", "admins", "--wait", "--as", "sarah.lim@example.org", check=False)


def quiet(page: Page) -> Page:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.locator("[data-testid=stSkeleton]:visible")).to_have_count(0)
    return page


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("opener", OPENERS)
def test_the_keyboard_is_back_where_it_was_once_a_dialog_or_a_drawer_is_closed(
    visit: Visit, opener: str
) -> None:
    path, find = OPENERS[opener]
    page, dialog = quiet(visit().open(path)), None
    for button in (False, True):
        if opener in {"a row", "a person"}:
            expect(page.locator("[data-ready] .rows")).to_be_visible()
        find(page).focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
        quiet(page)
        if button:
            dialog.get_by_role("button", name="Close").first.focus()
        page.keyboard.press("Enter" if button else "Escape")
        expect(dialog).to_have_count(0)
        quiet(page)
        expect(find(page)).to_be_focused()


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("path", ["/", "/admins", "/audit", "/settings", "/analytics"])
def test_it_is_seen_where_the_keyboard_is(visit: Visit, path: str) -> None:
    page = quiet(visit().open(path))
    unseen = set()
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        on_nothing, seen, element = page.evaluate(IS_SEEN)
        if not on_nothing and not seen:
            unseen.add(element)
    assert unseen == set()


@pytest.mark.usefixtures("_synced")
def test_tabs_are_worked_by_the_keyboard(visit: Visit) -> None:
    page = quiet(visit().open("/therapists"))
    page.get_by_role("tab", name="Rows", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    changed = page.get_by_role("tab", name="What changed")
    expect(changed).to_have_attribute("aria-selected", "true")


def test_choices_are_worked_by_the_keyboard(visit: Visit) -> None:
    page = quiet(visit().open("/analytics"))
    checked = page.get_by_role("radio", checked=True).first
    now = page.get_by_role("radio", name=checked.text_content() or "", exact=True)
    now.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(now).not_to_be_checked()
    expect(page).to_have_url(re.compile("period="))
