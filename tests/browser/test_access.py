import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import App, Visit, serious

SARAH = ("--as", "sarah.lim@example.org")
VIEWS = ("Results", "Speed", "Failures", "Week", "People")
PAGES = (
    *"/ /inbox /therapists /locations /admins /services /sources /audit /settings /help".split(),
    *"/notifications /patients /runs /nowhere /runs?id=999999".split(),
    *(f"/analytics?view={view}" for view in VIEWS),
)

OFF_SCREEN = """
() => [...document.querySelectorAll(".badge, .stMarkdownBadge")]
  .map(badge => [badge.textContent, badge.getBoundingClientRect()])
  .filter(([_, { left, right, width }]) => width && (left < 0 || right > innerWidth))
  .map(([text]) => text)
"""


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_page_keeps_anybody_out(visit: Visit, mode: str) -> None:
    tab = visit(mode=mode)
    for path in PAGES:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        assert serious(page) == {} or settled(page) == {}, path


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_state_of_a_page_keeps_anybody_out(visit: Visit, app: App, mode: str) -> None:
    for resource in ("therapists", "admins"):
        app.command("sync", resource, "--wait", *SARAH, check=False)
    app.command("sync", "services", "--preview", "--wait", *SARAH, check=False)
    found: dict[str, int] = {}  # the newest run of each status
    for resource in ("therapists", "admins", "services"):
        told = json.loads(app.command("history", resource, "--limit", "300", "--json"))
        found = {run["status"]: run["run_id"] for run in reversed(told["runs"])} | found
    assert {"completed", "partial", "failed", "waiting"} <= found.keys()
    states = [f"/runs?id={run}" for run in found.values()]
    states += [
        "/settings?person=vera.olsen@example.org",
        "/settings?person=new",
    ]
    tab = visit(mode=mode)
    for path in states:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        assert serious(page) == {} or settled(page) == {}, path
    for path in (f"/runs?id={found['partial']}", "/admins"):
        page = tab.open(path)
        page.locator("[data-ready] tr[data-opens]").first.click()
        expect(page.get_by_role("dialog").get_by_test_id("stMarkdown").first).to_be_visible()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        assert serious(page) == {} or settled(page) == {}, f"a drawer of {path}"
    page = tab.open("/")
    page.locator(".st-key-open-preferences").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert serious(page) == {} or settled(page) == {}, "preferences"
    for who, path in ((None, "/"), ("Vera Olsen", "/audit")):
        page = visit(who, mode=mode).open(path)
        assert serious(page) == {} or settled(page) == {}, path


EMPTY = (
    *"/ /locations /patients /runs /inbox /analytics /sources /notifications".split(),
    *(f"/locations?tab={tab}" for tab in ("What+changed", "Needs+attention", "Skipped", "History")),
)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_empty_page_of_a_fresh_organization_keeps_anybody_out(
    visit: Visit, app: App, mode: str
) -> None:
    app.command("org", "add", "fresh", "Fresh Clinics", check=False)  # by the other mode already
    words = "nina.stone@example.org,Nina Stone,--role,admin,--org,fresh".split(",")
    app.command("person", "set", *words)
    tab = visit(who=None, mode=mode)
    tab.open().get_by_role("button", name="Nina Stone").click()
    accept = tab.page.locator(".st-key-accept-fresh").get_by_role("button")
    steps = tab.page.get_by_text("Three steps to your first sync")
    expect(accept.or_(steps)).to_be_visible()
    if accept.count():
        accept.click()
    expect(steps).to_be_visible()
    for path in EMPTY:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        assert serious(page) == {} or settled(page) == {}, path
    page.get_by_role("link", name="Set the source").click()
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()


def settled(page: Page) -> dict[str, list[str]]:
    """Look again until nothing fades in any more, for half a colour has half the contrast."""
    for _ in range(4):
        page.wait_for_timeout(3000)
        if not (found := serious(page)):
            break
    return found


def test_an_address_that_no_page_has_gets_a_page_of_ours(visit: Visit) -> None:
    page = visit().open("/nowhere")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(page).to_have_title("Page not found · Sync Desk")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", name="Help")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_role("heading", name="Help")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(visit: Visit, path: str) -> None:
    page = visit(width=390).open(path)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


WORDLESS = """
() => [...document.querySelectorAll("[data-testid^=stBaseButton], [data-testid^=stPopoverButton]")]
  .filter(button => button.offsetParent && button.closest("[data-testid=stMain]"))
  .filter(button => !button.closest("[class*=st-key-close-]"))  // an X is known by itself
  .filter(button => {
    const words = button.querySelector("[data-testid=stMarkdownContainer]") ?? button
    const { width, height } = words.getBoundingClientRect()
    return width < 20 || height < 10 || words.scrollWidth > words.clientWidth + 1
  })
  .map(button => button.textContent)
"""
CUT = """
() => [...document.querySelectorAll(".strip .since > span, [role=tablist]")]
  .filter(one => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
  .map(one => one.textContent)
"""


@pytest.mark.parametrize("path", ["/", "/locations", "/therapists", "/sources", "/runs", "/audit"])
def test_on_a_phone_what_can_be_pressed_has_its_word_and_no_line_is_cut(
    visit: Visit, app: App, path: str
) -> None:
    app.command("sync", "therapists", "--wait", *SARAH, check=False)
    page = visit(width=390).open(path)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    page.wait_for_timeout(500)  # until it has its sizes
    assert page.evaluate(WORDLESS) == []
    assert page.evaluate(CUT) == []


def test_no_badge_and_no_row_of_people_goes_off_a_phone(visit: Visit) -> None:
    page = visit(width=390).open("/settings")
    expect(page.locator("[data-ready] .rows")).to_be_visible()
    assert page.evaluate(OFF_SCREEN) == []
    assert page.locator(".rows").evaluate("table => table.scrollWidth - table.clientWidth") == 0


def test_each_tab_keeps_its_own_organization(visit: Visit, app: App) -> None:
    for slug, name in (("north", "North Clinics"), ("south", "South Clinics")):
        app.command("org", "add", slug, name)
        app.command(
            "person",
            "set",
            "olive.park@example.org",
            "Olive Park",
            "--role",
            "admin",
            "--org",
            slug,
        )
    page = visit(who=None).open()
    page.get_by_role("button", name="Olive Park").click()
    for slug in ("north", "south"):
        page.locator(f".st-key-accept-{slug}").get_by_role("button").click()
        expect(page.locator(f".st-key-offer-{slug}")).to_have_count(0)
    tab = visit("Olive Park")
    page, other = tab.open("/?org=north"), tab.context.new_page()
    other.goto(f"{tab.url}/?org=south")
    for each, name in ((page, "North Clinics"), (other, "South Clinics")):
        each.get_by_test_id("stSidebar").get_by_role("link", name="Help").click()
        expect(each.get_by_role("heading", name="Help")).to_be_visible()
        each.reload()
        expect(
            each.get_by_role("combobox", name=re.compile(f"{name}|Organization"))
        ).to_be_visible()
        expect(each).to_have_url(re.compile(name[:5].lower()))
    page.goto(f"{tab.url}/locations?org=demo")  # not one of hers
    expect(page.get_by_text("0 locations")).to_be_visible()


def test_the_pages_are_drawn_in_their_own_font(visit: Visit) -> None:
    page = visit().open("/help")
    expect(page.get_by_role("heading", name="Help")).to_be_visible()
    fonts = "[...await document.fonts.ready].filter(f => f.status == 'loaded').map(f => f.family)"
    assert "Inter" in page.evaluate(f"(async () => {fonts})()")


@pytest.mark.parametrize(
    ("asked", "heading"), [("/foo/bar", "Page not found"), ("/overview", "Overview")]
)
def test_no_address_ends_in_a_dialog(visit: Visit, asked: str, heading: str) -> None:
    page = visit().open(asked)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("Times are in Australia/Perth.")).to_have_count(1)


def test_on_a_phone_the_menu_closes_once_a_page_is_chosen(visit: Visit) -> None:
    page = visit(width=390).open("/")
    page.get_by_test_id("stExpandSidebarButton").click()
    menu = page.get_by_test_id("stSidebar")
    menu.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", name="Runs", exact=True, level=1)).to_be_visible()
    expect(menu).to_have_attribute("data-collapsed", "true")


def test_an_address_that_is_copied_from_a_page_is_that_address(visit: Visit) -> None:
    page = visit().open("/settings?person=vera.olsen@example.org")
    page.get_by_role("button", name="Remove Vera Olsen").click()
    means = page.get_by_text("no longer sees")
    selected = means.evaluate(
        "told => { getSelection().selectAllChildren(told); return getSelection().toString() }"
    )
    assert "(vera.olsen@example.org)" in selected
    expect(page.locator("a[href^=mailto]")).to_have_count(0)
