import csv
import re

import pytest
from playwright.sync_api import Page, expect

from sync_core.ui.analytics.panel import MAX_VISIBLE_ROWS
from tests.support.browser import Visit

WAIT = 20_000  # milliseconds, on a machine that is busy with other things
TALL = 2_200  # pixels, so that nothing has to be scrolled to


def settled(page: Page) -> Page:
    expect(page.locator(".st-key-key-figures")).to_be_visible(timeout=WAIT)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=WAIT)
    return page


def look(visit: Visit, address: str) -> Page:
    tab = visit("Michael Tan")
    tab.page.set_viewport_size({"width": 1280, "height": TALL})
    return settled(tab.open(f"/analytics?{address}"))


@pytest.mark.parametrize("figure", ["runs", "failures"])
def test_a_key_figure_leads_to_the_list_of_its_runs(visit: Visit, figure: str) -> None:
    page = look(visit, "period=90+days")
    card = page.locator(f".st-key-kpi-{figure}")
    told = card.get_by_test_id("stMetricValue").text_content() or ""
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible(timeout=WAIT)
    expect(page).to_have_url(re.compile("/audit.*since=.*status="), timeout=WAIT)
    expect(page.get_by_text(re.compile(rf"of {told} rows?$"))).to_be_visible(timeout=WAIT)


def test_a_bar_of_the_reasons_leads_to_the_rows_and_to_their_file(visit: Visit) -> None:
    page = look(visit, "period=90+days&view=Failures")
    panel = page.locator(".st-key-panel-pareto")
    label = panel.get_by_text("Bad phone")
    expect(label).to_be_visible(timeout=WAIT)
    box, chart = label.bounding_box(), panel.locator(".nsewdrag").first.bounding_box()
    assert box
    assert chart
    page.mouse.click(chart["x"] + 20, box["y"] + box["height"] / 2)
    told = page.get_by_text(re.compile(r"^\d+ rows in \d+ runs$"))
    expect(told).to_be_visible(timeout=WAIT)
    expect(page).to_have_url(re.compile(r"code=Bad(\+|%20)phone"), timeout=WAIT)
    rows = int((told.text_content() or "").split()[0])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these rows").click()
    text = download.value.path().read_text("utf-8-sig")
    found = list(csv.DictReader(text.splitlines()))
    assert len(found) == rows
    assert {row["Reason"] for row in found} == {"Invalid phone format"}


def test_a_chart_has_its_table_and_its_file(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    panel = page.locator(".st-key-panel-outcomes")
    panel.get_by_text("Table and CSV").click()
    expect(panel.get_by_test_id("stDataFrame")).to_be_visible(timeout=WAIT)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Download outcomes by day").click()
    found = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert len(found) > MAX_VISIBLE_ROWS
    counted = sum(int(row[name]) for row in found for name in row if name != "When")
    runs = page.locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")
    expect(runs).to_have_text(f"{counted:,}")


def test_the_filters_are_kept_in_the_address_and_the_zone_is_told(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    expect(page.get_by_text("Times are in Australia/Perth, UTC+08:00")).to_be_visible(timeout=WAIT)
    runs = page.locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")
    of_all = runs.text_content() or ""
    page.get_by_role("button", name="Locations", exact=True).click()
    expect(runs).not_to_have_text(of_all, timeout=WAIT)
    expect(page).to_have_url(re.compile("resource=Locations"), timeout=WAIT)
    some = runs.text_content() or ""
    page.reload()
    expect(settled(page).locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")).to_have_text(
        some
    )
