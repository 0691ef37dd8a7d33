"""What somebody sees who waits for long."""

import re

from playwright.sync_api import expect

from tests.support import processes
from tests.support.browser import App, Visit

TOLD = """() => {
    const said = getComputedStyle(document.querySelector(".stApp"), "::after")
    return said.visibility == "visible" && said.content.includes("longer than usual")
}"""


def test_a_page_whose_statement_hangs_says_within_5_s_that_it_waits_and_is_drawn_when_it_goes_on(
    visit: Visit, app: App
) -> None:
    page = visit().page
    printed = re.match("DATABASE_URL='(.+)'\n", app.command("env"))
    assert printed
    pages = app.process("Home.py").pid

    def open_page() -> None:
        page.goto(f"{app.url}/locations", wait_until="networkidle")  # until then it needs us

    with processes.frozen_at_work(open_page, pages, printed[1]):
        page.locator(".stApp").wait_for(state="attached")
        assert not page.evaluate(TOLD)
        page.wait_for_function(TOLD)
    expect(page.get_by_role("heading", name="Location Management")).to_be_visible()
    page.wait_for_function(f"() => !({TOLD})()")
