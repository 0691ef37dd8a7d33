import json
import re
import time

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import CLICKS, START, STARTED, App, SlowSheet, Tab, Visit

DONE = re.compile(r"Processed 4,000 locations")


MEASURE = """() => {  // in the page: what drives it adds up to a tenth of a second of its own
    let clicked
    document.addEventListener("click", () => { clicked = performance.now() }, {once: true})
    window.firstResult = new Promise((done, fail) => {
        new MutationObserver((_, self) => {
            if (!clicked || !document.body.innerText.includes("Syncing...")) return
            self.disconnect()
            done((performance.now() - clicked) / 1000)
        }).observe(document.body, {subtree: true, childList: true, characterData: true})
        setTimeout(() => fail("the click had no result"), 30_000)
    })
}"""


def start(page: Page) -> None:
    button = page.get_by_role("button", name=START)
    button.wait_for()
    page.evaluate(MEASURE)
    button.click()
    page.get_by_text(STARTED).first.wait_for()
    CLICKS.append(page.evaluate("window.firstResult"))


def run_ids(app: App) -> set[int]:
    return {
        run["run_id"] for run in json.loads(app.command("history", "locations", "--json"))["runs"]
    }


def expect_done(page: Page) -> None:
    """Wait for the notice of the end; beside it may stand that Redis does not answer."""
    done = page.locator(".strip").filter(has_text=DONE)
    expect(done).to_be_visible()


def test_a_click_brings_the_blue_notice_then_the_green_one_and_the_rows(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    page = visit("Sarah Lim").open("/locations")
    start(page)
    expect(page.get_by_role("button", name="Syncing...")).to_be_disabled()
    expect(page.get_by_text(re.compile("Downloading the source")).first).to_be_visible()
    slow_sheet.go_on.set()
    expect_done(page)
    expect(
        page.get_by_text(re.compile(r"4,000 locations · Last successful sync \d\d:\d\d by"))
    ).to_be_visible()
    expect(page.locator(".rows").first).to_be_visible()
    expect(page.get_by_text("1 to 50 of 4,000 rows")).to_be_visible()


PLACES = """() => {  // where everything below the strip stands, at every frame from now on
    window.moved = new Set()
    const look = () => {
        const all = document.querySelectorAll("h1, .strip, [role=tablist], [class*=st-key-tools-]")
        const tops = [...all].map(one => Math.round(one.getBoundingClientRect().top))
        window.moved.add(JSON.stringify(tops))
        requestAnimationFrame(look)
    }
    look()
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_below_the_strip_moves_when_a_sync_starts_runs_and_ends(
    visit: Visit, app: App, slow_sheet: SlowSheet, width: int
) -> None:
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", "--as", "sarah.lim@example.org")
    slow_sheet.go_on.clear()
    page = visit("Sarah Lim", width=width).open("/locations")
    expect(page.locator(".rows").first).to_be_visible(timeout=40_000)
    expect(page.get_by_role("button", name=START)).to_be_enabled()
    page.evaluate(PLACES)
    page.get_by_role("button", name=START).click()
    expect(page.locator(".strip.blue")).to_contain_text("Sync in progress...")
    expect(page.locator(".strip.blue")).to_contain_text(re.compile(r"[1-9]\d*%"))
    slow_sheet.go_on.set()
    expect(page.locator(".strip.green")).to_contain_text(DONE)
    page.get_by_role("button", name="Close notification").click()
    expect(page.locator(".strip")).to_contain_text("Up to date")
    assert len(page.evaluate("[...window.moved]")) == 1, page.evaluate("[...window.moved]")


BUTTONS = """() => {  // where the buttons above the strip stand, at every frame from now on
    window.places = new Set()
    const look = () => {
        const all = document.querySelectorAll("[class*=st-key-head] [data-testid=stButton]")
        const places = [...all].map(one => one.getBoundingClientRect()).filter(({ width }) => width)
        for (const { x, width } of places) window.places.add([x, width].map(Math.round).join())
        requestAnimationFrame(look)
    }
    look()
}"""

HEAD_BUTTONS = ("Refresh", "Test source", "From a file", "Preview", "Sync again")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_button_moves_while_the_next_sync_is_counted_down(
    browser: Browser, patient: App, slow_sheet: SlowSheet, width: int
) -> None:
    slow_sheet.go_on.set()
    tab = Tab(browser, patient.url, width=width)
    tab.sign_in("Sarah Lim")
    page = tab.open("/locations")
    expect(page.get_by_role("button", name=START)).to_be_enabled()
    page.evaluate(BUTTONS)
    page.get_by_role("button", name=START).click()
    expect(page.get_by_role("button", name=re.compile(r"^Sync in \d s$"))).to_be_disabled()
    expect(page.get_by_role("button", name="Sync again")).to_be_enabled()
    places = page.evaluate("[...window.places]")
    assert len(places) == len(HEAD_BUTTONS), places  # each in its one place
    tab.context.close()


def test_rows_with_issues_are_told_and_listed_with_their_reasons(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    slow_sheet.fill(broken=3)
    page = visit("Sarah Lim").open("/locations")
    start(page)
    slow_sheet.go_on.set()
    expect_done(page)
    expect(page.locator(".strip.orange")).to_contain_text("3 failed")
    page.get_by_role("button", name="Show the rows that failed").click()
    expect(page.get_by_text("1 to 3 of 3 problems")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    assert "Invalid phone format" in download.value.path().read_text("utf-8-sig")


def test_a_reload_and_a_colleague_show_the_run_and_its_end(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    page, other = visit("Sarah Lim").open("/locations"), visit("Vera Olsen").open("/locations")
    start(page)
    expect(other.get_by_text("Sync in progress...")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Syncing...")).to_be_disabled()
    expect(page.get_by_text("Sync in progress...")).to_be_visible()
    slow_sheet.go_on.set()
    for each in (page, other):
        expect_done(each)


def test_a_run_started_in_the_shell_is_seen_within_5_seconds_on_every_page(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page, elsewhere = visit().open("/locations"), visit().open("/help")
    phone = visit(width=390).open("/help")
    app.command("sync", "locations", "--as", "sarah.lim@example.org")
    on_phone = phone.locator(".st-key-running").get_by_role("link", name=re.compile(r"^Locations"))
    expect(on_phone).to_be_visible()
    expect(page.get_by_role("button", name="Syncing...")).to_be_visible()
    badge = elsewhere.get_by_test_id("stSidebar").get_by_role(
        "link", name=re.compile(r"^Locations \d+%")
    )
    expect(badge).to_be_visible()
    badge.click()
    expect(elsewhere.get_by_role("heading", name="Location Management")).to_be_visible()
    slow_sheet.go_on.set()
    expect(elsewhere.get_by_test_id("stSidebar").get_by_text("%")).to_have_count(0)


def test_a_closed_notice_stays_closed_for_that_person(visit: Visit, slow_sheet: SlowSheet) -> None:
    page, device, other = visit().open("/locations"), visit(), visit("Vera Olsen")
    start(page)
    slow_sheet.go_on.set()
    expect_done(page)
    page.get_by_role("button", name="Close notification").click()
    expect(page.locator(".strip")).to_contain_text("Up to date")
    expect_done(other.open("/locations"))
    for again in (page, device.page):
        again.goto(page.url)
        expect(again.locator(".strip")).to_contain_text("Up to date")


def test_typed_text_and_open_filters_survive_the_end_of_a_run(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", "--as", "sarah.lim@example.org")
    slow_sheet.go_on.clear()
    page = visit().open("/locations")
    start(page)
    search = page.get_by_placeholder("Search locations")
    search.fill("clinic 39")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("combobox", name="Active").click()
    page.get_by_role("option", name="Yes").click()
    slow_sheet.go_on.set()
    expect(page.get_by_text(DONE).first).to_be_visible()
    expect(page.get_by_role("dialog", name="Filter (1)")).to_be_visible()  # it still is open
    expect(search).to_have_value("clinic 39")
    expect(page.get_by_text("1 to 50 of 179 rows")).to_be_visible()


def test_two_people_who_press_at_once_start_one_run(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page, other = visit("Sarah Lim").open("/locations"), visit("Ana Ruiz").open("/locations")
    before = run_ids(app)
    pressed = [each.get_by_role("button", name=START).element_handle() for each in (page, other)]
    for button in pressed:  # at once: a page that looks between the two would show it disabled
        button.dispatch_event("click")
    for each in (page, other):
        expect(each.get_by_text(STARTED).first).to_be_visible()
    page.get_by_role("button", name="Details").click()
    line = page.get_by_text(re.compile("Started .* by ")).first.inner_text()
    second, first = (other, "Sarah Lim") if "Sarah Lim" in line else (page, "Ana Ruiz")
    expect(second.get_by_text(f"{first} started this")).to_be_visible()
    slow_sheet.go_on.set()
    for each in (page, other):
        expect(each.get_by_text(DONE).first).to_be_visible()
    assert len(run_ids(app) - before) == 1


def test_the_panel_of_a_run_tells_figures_and_its_log_can_be_cleared_and_kept(
    visit: Visit, slow_sheet: SlowSheet
) -> None:
    page = visit("Sarah Lim").open("/sources")
    card = page.locator(".st-key-card-locations")
    card.get_by_role("button", name="Details").click()
    card.get_by_role("button", name=START).click()
    bar = card.get_by_role("progressbar", name="Progress of Locations")
    expect(bar).to_have_attribute("aria-valuenow", re.compile("^[1-9]"))
    expect(card.get_by_text(re.compile(r"^[\d.]+ KB of [\d.]+ KB$"))).to_be_visible()
    opening = card.get_by_text("Locations: opening the source")
    expect(opening).to_be_visible()
    card.get_by_role("button", name="Clear").click()
    expect(opening).to_have_count(0)
    with page.expect_download() as download:
        card.get_by_role("link", name="Download").click()
    assert "Locations: opening the source" in download.value.path().read_text("utf-8")
    slow_sheet.go_on.set()
    expect(card.get_by_text(DONE).first).to_be_visible()


def test_two_resources_run_side_by_side_on_the_page_of_the_sources(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page = visit("Sarah Lim").open("/sources")
    app.command("sync", "locations", "--as", "sarah.lim@example.org")
    cards = [page.locator(f".st-key-card-{name}") for name in ("locations", "admins")]
    expect(cards[0].get_by_role("progressbar")).to_be_visible()
    cards[1].get_by_role("button", name=START).click()
    expect(cards[1].get_by_text(re.compile("Waiting for a worker")).first).to_be_visible()
    for card in cards:
        expect(card.get_by_role("progressbar")).to_be_visible()
    slow_sheet.go_on.set()
    expect(cards[0].get_by_text(DONE).first).to_be_visible()
    expect(cards[1].get_by_text(re.compile("Processed 64 clinic admins"))).to_be_visible()


def test_a_cancelled_run_changes_nothing_and_says_so(visit: Visit, slow_sheet: SlowSheet) -> None:
    assert not slow_sheet.go_on.is_set()
    page = visit("Sarah Lim").open("/locations")
    start(page)
    page.get_by_role("button", name="Cancel").click()
    told = page.locator(".strip.gray")
    expect(told).to_contain_text("Cancelled. Nothing was changed.")
    expect(page.get_by_role("button", name="Sync again")).to_be_enabled()


def test_a_run_whose_worker_is_killed_goes_on(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page = visit().open("/locations")
    start(page)
    expect(page.get_by_text(re.compile("Downloading the source")).first).to_be_visible()
    for horse in app.process("worker.py").children():
        if "worker.py" in " ".join(horse.cmdline()):
            horse.kill()
    slow_sheet.go_on.set()
    expect_done(page)


def test_a_run_is_followed_while_redis_is_silent(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page = visit().open("/locations")
    start(page)
    expect(page.get_by_text("Sync in progress...")).to_be_visible()
    redis = app.process("valkey-server")
    redis.suspend()
    try:
        told = page.get_by_text("Live progress is unavailable; the sync continues.")
        expect(told).to_be_visible()
        slow_sheet.go_on.set()
        expect_done(page)
    finally:
        redis.resume()


def test_a_run_outlives_a_redis_that_is_killed(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    page = visit().open("/locations")
    start(page)
    expect(page.get_by_text("Sync in progress...")).to_be_visible()
    app.process("valkey-server").kill()
    slow_sheet.go_on.set()
    expect(page.get_by_text(DONE).first).to_be_visible()


def test_a_page_whose_database_goes_away_says_so_and_comes_back_by_itself(
    visit: Visit, app: App
) -> None:
    page = visit().open("/locations")
    gone = page.get_by_text("The database does not answer")
    until = time.monotonic() + 30
    while gone.count() == 0 and time.monotonic() < until:
        postmaster = int((app.data / "pg/postmaster.pid").read_text().split()[0])
        if psutil.pid_exists(postmaster):  # it is started again and again
            psutil.Process(postmaster).kill()
        page.wait_for_timeout(300)
    expect(gone).to_be_visible()
    expect(gone).to_have_count(0, timeout=40_000)
    expect(page.get_by_role("button", name=START)).to_be_visible()


def test_a_failed_run_is_explained_with_details_to_copy(visit: Visit, app: App) -> None:
    app.command("source", "set", "services", "folder:no/such/folder")
    page = visit("Sarah Lim").open("/services")
    page.get_by_role("button", name=START).click()
    told = page.locator(".strip.red")
    expect(told).to_contain_text("There is nothing to read at 'no/such/folder'")
    expect(page.get_by_role("button", name="Retry")).to_be_enabled()
    page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name="Copy details for support").click()
    expect(page.get_by_text("Page: Brands & packages")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy details", exact=True).click()
    expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert "Page: Brands & packages\n" in page.evaluate("navigator.clipboard.readText()")


def test_the_source_can_be_tested_without_changing_anything(visit: Visit, app: App) -> None:
    before = app.command("history", "admins", "--json")
    page = visit("Sarah Lim").open("/admins")
    tabs = page.get_by_role("tablist")
    expect(tabs).to_be_visible()
    places = [tabs.bounding_box()]
    page.get_by_role("button", name="Test source").click()
    expect(page.get_by_role("dialog").get_by_text("can be read: 64 rows")).to_be_visible()
    places.append(tabs.bounding_box())
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    places.append(tabs.bounding_box())
    assert places[1:] == places[:-1]  # the test is over the page, and moves nothing of it
    assert app.command("history", "admins", "--json") == before


def test_a_manager_reviews_who_synced_what_and_when(visit: Visit, slow_sheet: SlowSheet) -> None:
    page = visit("Sarah Lim").open("/locations")
    slow_sheet.go_on.set()
    start(page)
    expect_done(page)
    review = visit("Michael Tan").open("/locations?tab=History")
    expect(review.locator(".rows").first).to_be_visible()
    feed = visit("Michael Tan").open().locator(".st-key-activity-feed")
    expect(feed).to_contain_text(re.compile(r"Sarah Lim \(Operations\) synced locations · \d"))
