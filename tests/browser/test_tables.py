"""Tables: a header sorts all rows, each row opens by the keyboard, a reload changes nothing."""

import re

from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.support.browser import App, SlowSheet, Visit, serious

WHO = ("--as", "sarah.lim@example.org")
PHONE: ViewportSize = {"width": 390, "height": 844}


def first_cells(page: Page) -> Locator:
    return page.locator(".rows tbody td:first-child")


def test_a_header_sorts_all_rows_and_a_reload_keeps_it(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    slow_sheet.fill()
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", *WHO, check=False)
    page = visit("Sarah Lim").open("/locations")
    expect(page.locator("[data-ready]")).to_be_visible()
    header = page.get_by_role("columnheader", name="Location code")
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    lowest = first_cells(page).first.inner_text()
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    highest = first_cells(page).first.inner_text()
    codes = [int(re.sub(r"\D", "", cell)) for cell in (lowest, highest)]
    assert codes[1] - codes[0] > 50  # rows of one page
    page.get_by_role("button", name="Page 2", exact=True).click()
    expect(page.get_by_text(re.compile("^51 to 100 of"))).to_be_visible()
    expect(first_cells(page).first).not_to_have_text(highest)
    shown = first_cells(page).all_inner_texts()
    page.reload()
    expect(page.get_by_text(re.compile("^51 to 100 of"))).to_be_visible()
    expect(first_cells(page)).to_have_text(shown)
    expect(page.locator("[data-ready]")).to_be_visible()
    assert serious(page) == {}
    page.locator("tr[data-opens]").first.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(shown[0])
    expect(page).to_have_url(re.compile("[?&]record=locations&key="))
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("record="))
    expect(page.get_by_role("alert")).to_have_count(0)
    page.go_forward()
    expect(page.get_by_role("dialog")).to_contain_text(shown[0])
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page).not_to_have_url(re.compile("record=|key="))
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.go_back()  # to close it was one step
    expect(page).to_have_url(re.compile("[?&]record=locations&key="))
    expect(page.get_by_role("dialog")).to_contain_text(shown[0])
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("record=|key="))


def test_on_a_phone_the_reason_is_seen_first(visit: Visit, app: App, slow_sheet: SlowSheet) -> None:
    slow_sheet.fill(broken=1)
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", *WHO, check=False)
    tab = visit("Vera Olsen")
    tab.page.set_viewport_size(PHONE)
    page = tab.open("/locations?tab=Needs+attention")
    card = page.locator(".rows tr[data-opens]").first
    expect(card).to_be_visible()
    reason, others = card.locator("td.first").bounding_box(), card.locator("td:not(.first)").all()
    assert reason
    assert reason["x"] + reason["width"] <= PHONE["width"]
    tops = [box["y"] for box in (other.bounding_box() for other in others) if box]
    assert reason["y"] < min(tops)
