"""What a sync would do before it does it, what it did, and how it is taken back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import App, SlowSheet, Visit

WHO = ("--as", "sarah.lim@example.org")


def click_row(page: Page, table: str) -> None:
    """Click on the first row of a table."""
    page.locator(f"[class*=st-key-table-{table}][data-ready] tr[data-opens]").first.click()


def test_a_sync_is_previewed_read_confirmed_and_taken_back(
    visit: Visit, app: App, slow_sheet: SlowSheet
) -> None:
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", *WHO)
    slow_sheet.body = slow_sheet.body.replace(b"S00001,Clinic 1,", b"S00001,Harbour Clinic,")
    page, other = visit("Sarah Lim").open("/locations"), visit("Vera Olsen").open("/locations")
    page.get_by_role("button", name="Preview").click()
    search = page.get_by_placeholder("Search locations")
    search.focus()
    expect(page.get_by_role("heading", name="What this sync would do")).to_be_visible()
    expect(search).to_be_focused()  # the plan has opened by itself, and taken nothing away
    for each in (page, other):  # everybody who watches sees it
        review = each.get_by_role("button", name="Review the plan")
        expect(review).to_be_visible()
        review.click()
        plan = each.get_by_role("heading", name="What this sync would do")
        expect(plan).to_be_visible()
        expect(each.get_by_text(re.compile(r"waits until \d+ \w+ 2"))).to_be_visible()
    expect(other.get_by_role("button", name="Confirm")).to_have_count(0)
    change = page.get_by_role("row", name="Name Clinic 1 Harbour Clinic")
    click_row(page, "plan")
    expect(change).to_be_visible()
    page.keyboard.press("Escape")
    expect(change).to_have_count(0)
    page.get_by_role("button", name="Confirm").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text("Locations: 1 to update")
    asked.get_by_role("button", name="Confirm and apply").click()
    expect(page.get_by_text(re.compile("1 updated, 3,999 unchanged")).first).to_be_visible()
    expect(page.get_by_role("heading", name="What this sync would do")).to_have_count(0)
    page.goto(f"{app.url}/locations")

    history = page.get_by_role("dialog")
    click_row(page, "locations")
    expect(history).to_contain_text("Harbour Clinic")
    expect(history.get_by_text("Created")).to_be_visible()
    assert "record=locations&key=S00001" in page.url
    colleague = visit("Vera Olsen").open(page.url.removeprefix(app.url))
    expect(colleague.get_by_role("dialog")).to_contain_text("Harbour Clinic")
    page.keyboard.press("Escape")
    expect(history).to_have_count(0)
    expect(page).to_have_url(re.compile("^(?!.*record=)"))

    page.get_by_role("tab", name="What changed").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name=re.compile("What undoing run"))).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(asked).to_contain_text("The next sync brings the values of the source again")
    asked.get_by_role("button", name="Undo now").click()
    expect(page.get_by_text("1 undone").first).to_be_visible()
    page.goto(f"{app.url}/locations?tab=Rows")
    click_row(page, "locations")
    expect(page.get_by_role("dialog").get_by_text("Updated")).to_have_count(1)
    expect(page.get_by_role("dialog").get_by_text("Put back by the undo of run")).to_have_count(1)


def shrunk(body: bytes) -> bytes:
    return b"".join(body.splitlines(keepends=True)[:3])


def foreign(body: bytes) -> bytes:
    return body.replace(b"S0", b"F0")  # not one key is known


@pytest.fixture
def deleting(visit: Visit) -> Iterator[None]:
    """Let locations that left the source be deleted, and afterwards stay again."""
    page = visit().open("/settings")
    page.get_by_role("tab", name="Resources").click()
    _choose_removal(page, "Are deleted")
    yield
    _choose_removal(page, "Default: stay in the table")


def _choose_removal(page: Page, words: str) -> None:
    page.locator(".st-key-removal-locations").get_by_role("combobox").click()
    page.get_by_role("option", name=words).click()
    form = page.get_by_test_id("stForm").filter(has_text="Locations")
    form.get_by_role("button", name="Save").click()
    if words == "Are deleted":
        page.get_by_role("dialog").get_by_role("button", name="Delete them from now on").click()
        expect(page.get_by_text("From now on, locations that left the source")).to_be_visible()
    else:
        expect(page.get_by_text("From now on, locations that left the source")).to_have_count(0)


@pytest.mark.parametrize(
    ("removal", "become", "told"),
    [
        (None, shrunk, "3,998 of 4,000 locations are not in the source any more"),
        (None, foreign, "are new"),
        ("deleting", shrunk, "3,998 of 4,000 locations would be deleted"),
    ],
    ids=["shrank", "foreign", "shrank and deletes"],
)
def test_a_source_that_shrank_or_is_another_waits_for_approval(
    visit: Visit,
    app: App,
    slow_sheet: SlowSheet,
    request: pytest.FixtureRequest,
    removal: str | None,
    become: Callable[[bytes], bytes],
    told: str,
) -> None:
    slow_sheet.go_on.set()
    app.command("sync", "locations", "--wait", *WHO)
    if removal:
        request.getfixturevalue(removal)
    slow_sheet.body = become(slow_sheet.body)
    page, other = visit("Sarah Lim").open("/locations"), visit("Vera Olsen").open("/")
    page.get_by_role("button", name=re.compile("^Sync (data|again)$")).click()
    page.get_by_role("button", name="Review the plan").click()
    approval = page.get_by_text("Nothing is applied until somebody has approved it.")
    expect(approval).to_be_visible()
    held = page.get_by_test_id("stAlert").filter(has=approval)
    expect(held).to_contain_text(told)
    expect(page.get_by_text("You requested this, and a guard holds it back.")).to_be_visible()
    expect(other.get_by_text(re.compile("Waiting for approval")).first).to_be_visible()
    waits = other.get_by_role("link", name=re.compile("Locations: Waiting for approval"))
    expect(waits).to_be_visible()
    page.get_by_role("button", name="Decline").click()
    page.get_by_role("dialog").get_by_role("button", name="Decline the plan").click()
    expect(approval).to_have_count(0)
