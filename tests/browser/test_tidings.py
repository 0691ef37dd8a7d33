"""What somebody hears of their sync while they are on another page, or in another tab."""

import re

from playwright.sync_api import Page, expect

from tests.support.browser import START, STARTED, App, SlowSheet, Visit

AWAY = """() => {  // the tab is in the background, and what the browser shows is kept
    Object.defineProperty(document, "hidden", {get: () => true})
    window.shown = []
    window.Notification = class extends Notification {
        constructor(title, about) {
            super(title, about)
            window.shown.push({title, ...about, raised: this})
        }
    }
}"""


def start_and_leave(page: Page, to: str) -> None:
    """Start a sync, go to another page, and see there how far it is."""
    page.get_by_role("button", name=START).click()
    page.get_by_text(STARTED).first.wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name=to).click()
    expect(page.get_by_role("heading", name=to)).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\d+% · Locations · Sync Desk$"))


def test_on_another_page_a_toast_the_title_and_the_bell_tell_how_a_sync_ended(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    page = visit("Sarah Lim").open("/locations")
    start_and_leave(page, "Help")
    slow_sheet.go_on.set()
    toast = page.get_by_test_id("stToast").filter(has_text="Locations: synced")
    expect(toast).to_contain_text("Processed 4,000 locations")
    expect(page).to_have_title("Synced · Locations · Sync Desk")
    expect(page.get_by_role("link", name=re.compile(r"Inbox \d+ new"))).to_be_visible()
    expect(toast.get_by_role("link")).to_have_attribute(
        "href", re.compile(r"^/runs\?org=demo&id=\d+$")
    )
    expect(page.get_by_test_id("stToast")).to_have_count(1)
    page.get_by_role("link", name=re.compile("Inbox")).click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    first = page.locator(".st-key-told tbody").get_by_role("row").first
    # "again" where the sync before had failed rows, whichever test started that
    expect(first).to_contain_text(re.compile("Locations: (synced|syncs again)"))
    expect(first).to_contain_text("New")
    expect(page).to_have_title("Inbox · Sync Desk")
    page.locator(".st-key-told[data-ready] tr[data-opens]").first.click()
    expect(page.get_by_role("heading", name=re.compile(r"^Run \d+$"))).to_be_visible()
    page.get_by_role("link", name=re.compile("Inbox")).click()
    expect(first).to_contain_text(re.compile("Locations: (synced|syncs again)"))
    expect(first).not_to_contain_text("New")
    if (others := page.get_by_role("button", name="Mark all as read")).count():  # of other tests
        others.click()
    expect(page.get_by_role("link", name=re.compile("Inbox$"))).to_be_visible()


def test_a_toast_covers_nothing_that_can_be_pressed_at_the_top_of_a_page(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    app.command("sync", "admins", "--wait", "--as", "sarah.lim@example.org", check=False)
    page = visit("Sarah Lim").open("/locations")
    page.get_by_role("button", name=START).click()
    page.get_by_text(STARTED).first.wait_for()
    page.get_by_test_id("stSidebar").get_by_role("link", name="Runs").click()
    page.locator("[data-ready] tr[data-opens]").filter(has_text="Clinic admins").first.click()
    copy = page.locator(".st-key-copy-link button")
    expect(copy).to_be_visible()
    slow_sheet.go_on.set()
    toast = page.get_by_test_id("stToast")
    expect(toast).to_be_visible(timeout=20_000)
    told = toast.bounding_box()
    assert told
    assert told["y"] > 450, told  # pixels, of 900
    copy.click(timeout=3_000)  # nothing lies over it


def test_in_the_background_the_browser_itself_tells_it_where_it_may(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    tab = visit("Sarah Lim")
    page = tab.open("/inbox")
    allow = page.get_by_role("button", name="Tell me in this browser")
    expect(allow).to_be_visible()
    tab.context.grant_permissions(["notifications"])
    allow.click()
    expect(
        page.get_by_text("While this tab is in the background, the browser tells")
    ).to_be_visible()
    expect(allow).to_be_hidden()
    page.evaluate(AWAY)
    page.get_by_role("link", name="Locations").first.click()
    start_and_leave(page, "Help")
    slow_sheet.go_on.set()
    for _ in range(100):  # the pages' policy lets no text be run in them, a condition neither
        if page.evaluate("window.shown.length"):
            break
        page.wait_for_timeout(200)
    told = page.evaluate("window.shown.map(({title, body}) => [title, body])")
    ((title, body),) = told
    assert title == "Locations: synced"
    assert body.startswith("Processed 4,000 locations")
    assert page.evaluate("window.shown.length") == 1
    page.evaluate("window.shown[0].raised.onclick()")
    expect(page.get_by_role("heading", name=re.compile(r"^Run \d+$"))).to_be_visible()
