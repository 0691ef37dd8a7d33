import csv
import re
from contextlib import suppress

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from sync_core.ui.analytics.table import MAX_VISIBLE_ROWS
from tests.support.browser import Visit

TALL = 2_200  # pixels, so that nothing has to be scrolled to


def settled(page: Page) -> Page:
    expect(page.locator(".st-key-key-figures")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    return page


def look(visit: Visit, address: str) -> Page:
    tab = visit("Michael Tan")
    tab.page.set_viewport_size({"width": 1280, "height": TALL})
    return settled(tab.open(f"/analytics?{address}"))


def place(page: Page, locator: Locator) -> FloatRect:
    """Return where something is, once nothing that loads moves it any more."""
    locator.scroll_into_view_if_needed()
    before = None
    for _ in range(60):
        now = locator.bounding_box()
        if now and now == before:
            return now
        before = now
        page.wait_for_timeout(500)
    raise AssertionError(f"it is still moving: {before}")


@pytest.mark.parametrize("figure", ["runs", "failures"])
def test_a_key_figure_leads_to_the_list_of_its_runs(visit: Visit, figure: str) -> None:
    page = look(visit, "period=90+days")
    card = page.locator(f".st-key-kpi-{figure}")
    told = card.get_by_test_id("stMetricValue").text_content() or ""
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Audit")).to_be_visible()
    expect(page).to_have_url(re.compile("/audit.*since=.*status="))
    expect(page.get_by_text(re.compile(rf"of {told} rows?$"))).to_be_visible()


def test_a_bar_of_the_reasons_leads_to_the_rows_and_to_their_file(visit: Visit) -> None:
    page = look(visit, "period=90+days&view=Failures")
    panel = page.locator(".st-key-panel-pareto")
    label = panel.get_by_text("Invalid phone format")
    expect(label).to_be_visible()
    box, chart = place(page, label), place(page, panel.locator(".nsewdrag").first)
    page.mouse.click(chart["x"] + 20, box["y"] + box["height"] / 2)
    told = page.get_by_text(re.compile(r"^\d+ rows in \d+ runs$"))
    expect(told).to_be_visible()
    expect(page).to_have_url(re.compile(r"code=Invalid(\+|%20)phone"))
    rows = int((told.text_content() or "").split()[0])
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    text = download.value.path().read_text("utf-8-sig")
    found = list(csv.DictReader(text.splitlines()))
    assert len(found) == rows
    assert {row["Reason"] for row in found} == {"Invalid phone format"}


def test_a_bar_of_a_resource_leads_to_its_failed_runs_beside_it(visit: Visit) -> None:
    page = look(visit, "period=90+days&view=Failures")
    bar = page.locator(".st-key-panel-failing .barlayer .point").first
    expect(bar).to_be_visible()
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile("failing="))
    beside = page.locator(".st-key-panel-failing-runs")
    expect(beside.get_by_text(re.compile(r"^All \d+ runs?$"))).to_be_visible()
    list_box = beside.bounding_box()
    assert list_box
    assert abs(list_box["y"] - box["y"]) < TALL / 3  # both are seen at once
    beside.locator("tr[data-opens]").first.click()
    expect(page).to_have_url(re.compile(r"/runs.*id=\d+"))


def test_a_point_leads_to_its_run_and_those_like_it_beside_the_chart(visit: Visit) -> None:
    page = look(visit, "period=90+days&view=Speed")
    beside = page.locator(".st-key-panel-points-list")
    expect(beside.get_by_text("The slowest runs", exact=True)).to_be_visible()
    point = page.locator(".st-key-panel-points .scatterlayer .point").last
    box, list_box = place(page, point), place(page, beside)
    assert abs(list_box["y"] - box["y"]) < TALL / 3  # both are seen at once
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page).to_have_url(re.compile(r"point=\d+"))
    run = page.url.partition("point=")[2].partition("&")[0]
    expect(beside.get_by_text(f"Run {run}, and those most like it", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    first = beside.locator("tr[data-opens]").first
    expect(first).to_contain_text(run)
    expect(page.locator("[data-ready] tr[data-opens]").first).to_be_visible()
    first.click()
    expect(page).to_have_url(re.compile(f"/runs.*id={run}"))


def test_outcomes_are_named_beside_their_bars_and_not_in_a_legend(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    chart = page.locator(".st-key-panel-outcomes .js-plotly-plot")
    expect(chart.locator(".annotation-text", has_text="Synced").first).to_be_visible()
    expect(chart.locator(".legend")).to_have_count(0)


def test_a_bar_of_a_day_leads_to_its_runs_over_the_page(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    chart = page.locator(".st-key-panel-outcomes .nsewdrag").first
    box = place(page, chart)
    listed = page.get_by_role("dialog")
    for part in (0.93, 0.9, 0.87, 0.84):  # on some days nothing ran
        page.mouse.click(box["x"] + box["width"] * part, box["y"] + box["height"] - 6)
        with suppress(PlaywrightTimeout):
            listed.wait_for(timeout=6_000)
            break
    expect(listed.get_by_text("Runs behind it")).to_be_visible()
    listed.get_by_role("link", name=re.compile("in the audit$")).click()
    expect(page).to_have_url(re.compile("/audit.*since=.*until="))


def test_a_chart_has_its_table_and_its_file(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    panel = page.locator(".st-key-panel-outcomes")
    panel.get_by_text("Table and CSV").click()
    expect(panel.get_by_test_id("stDataFrame")).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("link", name="Download outcomes by day").click()
    found = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert len(found) > MAX_VISIBLE_ROWS
    counted = sum(int(row[name]) for row in found for name in row if not name.startswith("When"))
    runs = page.locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")
    expect(runs).to_have_text(f"{counted:,}")


def test_the_filters_are_kept_in_the_address_and_the_zone_is_told(visit: Visit) -> None:
    page = look(visit, "period=90+days")
    expect(page.get_by_text("Times are in Australia/Perth.")).to_be_visible()
    runs = page.locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")
    of_all = runs.text_content() or ""
    page.get_by_role("button", name="Locations", exact=True).click()
    expect(runs).not_to_have_text(of_all)
    expect(page).to_have_url(re.compile("resource=Locations"))
    some = runs.text_content() or ""
    page.reload()
    expect(settled(page).locator(".st-key-kpi-runs").get_by_test_id("stMetricValue")).to_have_text(
        some
    )
