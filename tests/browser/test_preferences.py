from contextlib import suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.support.browser import App, Tab, Visit
from tests.support.waiting import eventually

DARK, LIGHT = "rgb(14, 20, 32)", "rgb(255, 255, 255)"
NOTHING_IS_KEPT = "Storage.prototype.setItem = () => { throw new Error('full') }"
NO_STORAGE = """
for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError') } })
"""
ANOTHER_THEME_IS_KEPT = """
const set = Storage.prototype.setItem
Storage.prototype.setItem = function (name, text) {
  set.call(this, name, name.startsWith('stActiveTheme') ? '"Light"' : text)
}
"""


@pytest.fixture
def uma(app: App, visit: Visit) -> Tab:
    """Open a tab as somebody whom no other test knows."""
    app.command("person", "set", "uma.reed@example.org", "Uma Reed", "--role", "analyst")
    if "Uma Reed" not in app.states:
        page = visit(who=None).open()
        page.get_by_role("button", name="Uma Reed").click()
        page.locator(".st-key-accept-demo").get_by_role("button").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        app.states["Uma Reed"] = page.context.storage_state()
    return visit("Uma Reed")


def prefer(page: Page, theme: str, zone: str = "") -> None:
    page.locator(".st-key-open-preferences").get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(theme, exact=True).click()
    if zone:
        dialog.get_by_label("Time zone").fill(zone)
        page.get_by_role("option", name=zone).click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)


def test_a_theme_and_a_zone_are_chosen_for_all_pages_and_stay(uma: Tab, visit: Visit) -> None:
    page = uma.open("/")
    prefer(page, "Dark", "Europe/Berlin")
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", DARK)
    again = visit("Uma Reed").open("/help")  # another browser, which knows nothing of it
    expect(again.get_by_test_id("stApp")).to_have_css("background-color", DARK)
    expect(again.get_by_text("Times are in Europe/Berlin.")).to_be_visible()
    prefer(again, "As the system")
    expect(again.get_by_test_id("stApp")).to_have_css("background-color", LIGHT)
    # where the other theme is still kept; it may just load itself anew for the one that was chosen
    eventually(lambda: page.reload() or True, despite=(PlaywrightError,))
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", LIGHT)


@pytest.mark.parametrize(
    ("browser_does", "times"),  # a tab is loaded anew once, where it can note that it was
    [(NOTHING_IS_KEPT, 1), (NO_STORAGE, 1), (ANOTHER_THEME_IS_KEPT, 2)],
    ids=["keeps nothing", "has no storage", "keeps another theme"],
)
def test_no_browser_loads_the_pages_again_and_again_for_a_theme(
    uma: Tab, visit: Visit, browser_does: str, times: int
) -> None:
    prefer(uma.open("/"), "Dark")
    tab = visit("Uma Reed")
    tab.context.add_init_script(browser_does)
    loads: list[int] = []
    tab.page.on("domcontentloaded", lambda _: loads.append(1))
    page = tab.open("/")
    while sum(loads) < times:  # a click before that would be lost with the old page
        page.wait_for_event("domcontentloaded")
    expect(page.get_by_role("heading", name="Overview", exact=True, level=1)).to_be_visible()
    for name in ("Help", "Sources", "Runs", "Help"):  # each draws what applies the theme
        page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True, level=1)).to_be_visible()
    assert sum(loads) == times


def test_shortcuts_of_the_keyboard_search_and_lead_to_pages(visit: Visit) -> None:
    page = visit().open("/audit")
    search = page.get_by_placeholder("Search people, messages, records")
    expect(search).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    press_until(search, ":focus", "/")
    search.fill("")  # a key that was pressed again stands there
    page.keyboard.type("g o")
    expect(search).to_have_value("g o")
    search.blur()
    press_until(page.get_by_role("heading", name="Help", exact=True), ":visible", "?")
    press_until(page.get_by_role("heading", name="Analytics", exact=True), ":visible", "g", "a")


def press_until(found: Locator, how: str, *keys: str) -> None:
    """Press keys until they do what they do: a page that is not settled does not hear them yet."""

    def is_so() -> bool:
        for key in keys:
            found.page.keyboard.press(key)
        with suppress(PlaywrightTimeout):
            found.and_(found.page.locator(how)).wait_for(timeout=3000)
            return True
        return False

    eventually(is_so)
