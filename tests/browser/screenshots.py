"""Pictures of every page, light, dark and on a phone, to be looked at: `make screenshots`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation.settings import ROOT
from tests.support.browser import App, SlowSheet, Tab, Visit

FOLDER = Path(ROOT, "screenshots")
PAGES = {
    "overview": "/",
    **{name: f"/{name}" for name in CATALOGUE},
    "changes": "/therapists?tab=What+changed",
    "to-mend": "/therapists?tab=Needs+attention",
    "history": "/therapists?tab=History",
    "analytics": "/analytics",
    **{
        f"analytics-{view.lower()}": f"/analytics?view={view}"
        for view in ("Speed", "Failures", "Week", "People")
    },
    "sources": "/sources",
    "audit": "/audit",
    "inbox": "/inbox",
    "runs": "/runs",
    "notifications": "/notifications",
    "settings": "/settings",
    "help": "/help",
}
SARAH, ANA = (("--as", f"{name}@example.org") for name in ("sarah.lim", "ana.ruiz"))
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "phone": ("light", 390)}


pytestmark = pytest.mark.timeout(900)  # that many pictures take their time


@pytest.fixture(scope="module")
def _synced(app: App) -> None:
    for resource in ("locations", *CATALOGUE):  # the others refer to locations
        for _ in range(2):
            app.command("sync", resource, "--wait", "--as", "sarah.lim@example.org", check=False)


def keep(tab: Tab, name: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    expect(tab.page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(tab.page.locator("[data-testid=stSkeleton]:visible")).to_have_count(0)
    tab.page.wait_for_timeout(1500)  # charts draw themselves after the page has settled
    tab.page.screenshot(path=FOLDER / f"{name}.png")


@pytest.mark.usefixtures("_synced")
@pytest.mark.parametrize("look", LOOKS)
def test_pages(visit: Visit, look: str) -> None:
    mode, width = LOOKS[look]
    tab = visit(mode=mode, width=width)
    for name, path in PAGES.items():
        tab.open(path)
        keep(tab, f"{name}-{look}")


@pytest.fixture(scope="module")
def clinics(app: App, published: SlowSheet) -> SlowSheet:
    """Return a sheet of clinics that was synced, three of them with phones that are none."""
    published.go_on.set()
    for broken in (0, 3):
        published.fill(broken)
        app.command("sync", "locations", "--wait", *SARAH, check=False)
        _approve(app, "locations")
    return published


def _approve(app: App, resource: str) -> None:
    """Approve the sync of a resource, where a guard holds it back."""
    (latest,) = _runs(app, resource, "--limit", "1")
    if latest["status"] == "waiting":
        app.command("confirm", str(latest["run_id"]), "--wait", *ANA, check=False)


def _runs(app: App, resource: str, *limit: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(app.command("history", resource, *limit, "--json"))[
        "runs"
    ]
    return found


@pytest.mark.parametrize("look", LOOKS)
def test_rows_that_failed(visit: Visit, clinics: SlowSheet, look: str) -> None:
    assert clinics.body
    mode, width = LOOKS[look]
    tab = visit(mode=mode, width=width)
    page = tab.open("/locations?tab=Needs+attention")
    page.get_by_role("button", name="Sync the fixed rows").scroll_into_view_if_needed()
    keep(tab, f"retry-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_help_and_settings(visit: Visit, look: str) -> None:
    mode, width = LOOKS[look]
    tab = visit(mode=mode, width=width)
    for path, names in {
        "/help": ("Preview, guards, undo", "Cells", "Files"),
        "/settings": ("Resources", "Notifications", "Queue", "Old values"),
    }.items():
        page = tab.open(path)
        for name in names:
            page.get_by_role("tab", name=name).click()
            keep(tab, f"{path[1:]}-{re.sub('[^a-z]+', '-', name.lower())}-{look}")
    page.get_by_role("button", name=re.compile("^Drop values")).click()
    keep(tab, f"settings-drop-question-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_sign_in(visit: Visit, look: str) -> None:
    mode, width = LOOKS[look]
    tab = visit(who=None, mode=mode, width=width)
    tab.open()
    keep(tab, f"sign-in-{look}")


@pytest.mark.parametrize("look", LOOKS)
def test_a_run_on_its_way(visit: Visit, slow_sheet: SlowSheet, look: str) -> None:
    mode, width = LOOKS[look]
    tab = visit(mode=mode, width=width)
    page = tab.open("/locations")
    page.get_by_role("button", name=re.compile("^Sync data$|^Sync again$|^Retry$")).click()
    expect(page.get_by_text("Sync in progress...")).to_be_visible()
    keep(tab, f"syncing-{look}")
    slow_sheet.go_on.set()
    expect(page.get_by_text(re.compile("Processed 4,000"))).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("look", LOOKS)
def test_plans_and_histories(visit: Visit, app: App, slow_sheet: SlowSheet, look: str) -> None:
    slow_sheet.go_on.set()
    whole = slow_sheet.body
    app.command("sync", "locations", "--wait", *SARAH)
    _approve(app, "locations")
    mode, width = LOOKS[look]
    page = (tab := visit("Sarah Lim", mode=mode, width=width)).open("/locations")
    slow_sheet.body = whole.replace(b"Clinic 1", b"Harbour Clinic 1")
    _plan(tab, "Preview", "What this sync would do", f"plan-{look}")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    keep(tab, f"plan-question-{look}")
    page.get_by_role("button", name="Confirm and apply").click()
    expect(page.get_by_text(re.compile("updated, .* unchanged")).first).to_be_visible(
        timeout=30_000
    )
    page = tab.open("/locations?record=locations&key=S00001")
    expect(page.get_by_role("dialog")).to_be_visible()
    keep(tab, f"record-{look}")
    page = tab.open("/locations?tab=What+changed")
    keep(tab, f"what-changed-{look}")
    _plan(tab, "Undo", "What undoing run", f"undo-{look}")
    page.get_by_role("button", name="Decline").click()
    page.get_by_role("dialog").get_by_role("button", name="Decline the plan").click()
    slow_sheet.body = whole[: len(whole) // 2]
    page = tab.open("/locations")
    page.get_by_role("button", name=re.compile("^Sync (data|again)$")).click()
    page.get_by_role("button", name="Review the plan").click(timeout=30_000)
    expect(page.get_by_text("Nothing is applied until somebody has approved")).to_be_visible(
        timeout=30_000
    )
    keep(tab, f"held-back-{look}")
    page.get_by_role("button", name="Decline").click()
    page.get_by_role("dialog").get_by_role("button", name="Decline the plan").click()


def _plan(tab: Tab, button: str, heading: str, name: str) -> None:
    tab.page.get_by_role("button", name=button).first.click()
    if button == "Preview":
        tab.page.get_by_role("button", name="Review the plan").click(timeout=30_000)
    found = tab.page.get_by_role("heading", name=re.compile(heading))
    expect(found).to_be_visible(timeout=30_000)
    found.scroll_into_view_if_needed()
    keep(tab, name)
