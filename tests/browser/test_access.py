import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

VIEWS = ("Results", "Speed", "Failures", "Week", "People")
PAGES = (
    *("/", "/therapists", "/locations", "/admins", "/services", "/sources"),
    *("/audit", "/settings", "/help"),
    *(f"/analytics?view={view}" for view in VIEWS),
)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_page_keeps_anybody_out(visit: Visit, mode: str) -> None:
    tab = visit(mode=mode)
    for path in PAGES:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        assert serious(page) == {} or settled(page) == {}, path


def serious(page: Page) -> dict[str, list[str]]:
    """Name what axe-core finds serious, with the places."""
    return {
        violation["id"]: [node["html"][:160] for node in violation["nodes"]]
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
    }


def settled(page: Page) -> dict[str, list[str]]:
    """Look again when nothing fades in any more, for half a colour has half the contrast."""
    page.wait_for_timeout(3000)
    return serious(page)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(visit: Visit, path: str) -> None:
    page = visit(width=390).open(path)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
