import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Visit

PAGES = ("/", "/therapists", "/locations", "/admins", "/services", "/sources", "/settings", "/help")


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_page_keeps_anybody_out(visit: Visit, mode: str) -> None:
    tab, found = visit(mode=mode), {}
    for path in PAGES:
        page = tab.open(path)
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in {"serious", "critical"}:
                places = [node["html"][:160] for node in violation["nodes"]]
                found[f"{path} {violation['id']}"] = places
    assert found == {}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(visit: Visit, path: str) -> None:
    page = visit(width=390).open(path)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
