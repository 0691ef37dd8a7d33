import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import SlowSheet, Tab

STARTED = re.compile(r"Sync started\.\.\.|Sync in progress\.\.\.")
DONE = re.compile(r"Processed 4000 locations")


def start(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Sync data$|^Sync again$|^Retry$")).click()
    expect(page.get_by_text(STARTED).first).to_be_visible()


def test_a_click_brings_the_blue_notice_then_the_green_one_and_the_rows(
    tab: Tab, slow_sheet: SlowSheet
) -> None:
    page = tab.open("/locations")
    start(page)
    expect(page.get_by_role("button", name="Syncing...")).to_be_disabled()
    expect(page.get_by_text(re.compile("Reading|Opening"))).to_be_visible()
    slow_sheet.go_on.set()
    notice = page.get_by_test_id("stAlert")
    expect(notice).to_contain_text(DONE, timeout=20_000)
    expect(page.get_by_text(re.compile(r"4,000 locations · synced just now by"))).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(page.get_by_text("1 to 50 of 4,000 rows")).to_be_visible()


def test_a_reload_and_another_tab_show_the_run_and_its_end(
    tab: Tab, second_tab: Tab, slow_sheet: SlowSheet
) -> None:
    page, other = tab.open("/locations"), second_tab.open("/locations")
    start(page)
    expect(other.get_by_role("button", name="Syncing...")).to_be_disabled(timeout=7_000)
    page.reload()
    expect(page.get_by_role("button", name="Syncing...")).to_be_disabled()
    expect(page.get_by_text("Sync in progress...")).to_be_visible()
    slow_sheet.go_on.set()
    for each in (page, other):
        expect(each.get_by_test_id("stAlert")).to_contain_text(DONE, timeout=20_000)


def test_a_closed_notice_stays_closed_after_a_reload(tab: Tab, slow_sheet: SlowSheet) -> None:
    page = tab.open("/locations")
    start(page)
    slow_sheet.go_on.set()
    expect(page.get_by_test_id("stAlert")).to_contain_text(DONE, timeout=20_000)
    page.locator("[class*=st-key-close-notice]").get_by_role("button").click()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.reload()
    expect(page.get_by_text(re.compile("synced just now"))).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_typed_text_survives_the_end_of_a_run(tab: Tab, slow_sheet: SlowSheet) -> None:
    page = tab.open("/locations")
    start(page)
    search = page.get_by_placeholder("Search locations")
    search.fill("clinic 39")
    slow_sheet.go_on.set()
    expect(page.get_by_test_id("stAlert")).to_contain_text(DONE, timeout=20_000)
    expect(search).to_have_value("clinic 39")
    expect(page.get_by_text("1 to 50 of 179 rows")).to_be_visible()


def test_no_request_leaves_the_machine(tab: Tab) -> None:
    for path in ("/", "/therapists", "/locations", "/admins", "/services"):
        tab.open(path)
    assert tab.outside == []
