import re

from playwright.sync_api import Page, expect

from sync_core.records import privacy
from tests.support.browser import Visit

START = re.compile("^Sync data$|^Sync again$|^Retry$")
MASK = privacy.MASK.encode()
DONE = re.compile(r"Patients: [\d,]+ created")


def sync(page: Page) -> None:
    page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name=START).click()
    expect(page.locator("ol.steps li")).to_have_count(8)
    expect(page.locator("ol.steps")).to_contain_text("Fetching appointments")
    expect(page.locator(".strip")).to_contain_text(DONE, timeout=40_000)


def told(page: Page) -> list[bytes]:
    """Collect what the page is sent from now on."""
    heard: list[bytes] = []

    def hear(message: str | bytes) -> None:
        heard.append(message if isinstance(message, bytes) else message.encode())

    page.on("websocket", lambda socket: socket.on("framereceived", hear))
    return heard


def test_a_sync_shows_its_steps_then_the_figures_and_masks_them_for_a_viewer(
    visit: Visit,
) -> None:
    tab = visit("Sarah Lim")
    heard = told(tab.page)
    page = tab.open("/patients")
    sync(page)
    alert = page.locator(".strip")
    expect(alert).to_contain_text(re.compile("Read everything|Read what changed since"))
    active = page.get_by_test_id("stMetric").filter(has_text="Active")
    expect(active).to_contain_text(re.compile("[1-9][0-9]"))
    expect(page.locator(".rows").first).to_be_visible()
    expect(page.get_by_text("Hidden from your role")).to_have_count(0)
    assert MASK not in b"".join(heard)

    tab = visit("Vera Olsen")
    heard = told(tab.page)
    theirs = tab.open("/patients")
    expect(theirs.get_by_text(re.compile("Hidden from your role: .*Date of birth"))).to_be_visible()
    expect(theirs.locator(".rows").first).to_be_visible()
    expect(theirs.get_by_role("button", name=START)).to_have_count(0)
    assert MASK not in b"".join(heard)  # hidden columns are left out


def test_the_connection_is_tested_on_the_page(visit: Visit) -> None:
    page = visit("Sarah Lim").open("/patients")
    page.get_by_role("button", name="Test source").click()
    expect(page.get_by_text(re.compile("Cliniko answers: [0-9,]+ patients"))).to_be_visible()
