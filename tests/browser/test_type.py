"""The text that is seen has one of five sizes, and stands out from what is behind it."""

import json
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import App, Visit, serious
from tests.support.waiting import eventually

SIZES = {24.0, 19.0, 16.0, 12.0}  # pixels; and 13 to 14
TEXT = (13.0, 14.0)
PAGES = (
    "/ /inbox /admins /patients /runs /sources /audit /settings /help /notifications"
    " /analytics?view=Results /analytics?view=Speed /analytics?view=Failures /analytics?view=Week"
    " /analytics?view=People /admins?tab=History /therapists?tab=Needs+attention"
).split()
SEEN = """
() => {
  const found = {}, walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement, style = getComputedStyle(element)
    const range = document.createRange()
    range.selectNodeContents(node)
    const { width, height } = range.getBoundingClientRect()
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    const told = node.data.trim() && !["STYLE", "SCRIPT", "NOSCRIPT"].includes(element.tagName)
    if (!told || !seen || width < 2 || height < 2 || style.fontFamily.includes("Material")) continue
    const size = Math.round(100 * parseFloat(style.fontSize)) / 100
    found[size] ??= node.data.trim().slice(0, 60)
  }
  return JSON.stringify(found)
}
"""


def others(page: Page) -> dict[float, str]:
    """Return an example of each size of text that is none of the five."""
    found: dict[str, Any] = json.loads(page.evaluate(SEEN))
    sizes = {float(size): text for size, text in found.items()}
    smallest, largest = TEXT
    return {
        size: text
        for size, text in sizes.items()
        if size not in SIZES and not smallest <= size <= largest
    }


def is_as_designed(page: Page) -> bool:
    return not others(page)


@pytest.fixture(scope="module")
def _synced(app: App) -> None:
    for resource in ("admins", "therapists"):
        app.command("sync", resource, "--wait", "--as", "sarah.lim@example.org", check=False)


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("width", [1280, 390])
def test_the_text_of_all_pages_has_five_sizes(visit: Visit, width: int) -> None:
    tab = visit(width=width)
    found: dict[str, str] = {}
    for path in PAGES:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        expect(page.locator("[data-testid=stSkeleton]:visible")).to_have_count(0)
        if "analytics" in path:
            expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        with suppress(TimeoutError):  # what is still being drawn is no text of the page
            eventually(partial(is_as_designed, page), 5)
        found |= {f"{path} {size}": text for size, text in others(page).items()}
    assert found == {}


def test_dialogs_drawers_and_the_sign_in_have_them_too(visit: Visit) -> None:
    page = visit().open("/settings?person=vera.olsen@example.org")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert others(page) == {}
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".st-key-open-preferences").get_by_role("button").click()
    expect(page.get_by_role("dialog").get_by_text("Theme")).to_be_visible()
    assert others(page) == {}
    assert serious(page) == {}
    page = visit(who=None).open("/")
    expect(page.get_by_test_id("stCaptionContainer").first).to_have_css("font-size", "12px")
    assert others(page) == {}
