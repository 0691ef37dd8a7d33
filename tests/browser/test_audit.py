"""An audit review by a manager: what happened, why, and a file of it."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser import App, Visit


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_role("button", name=re.compile("^Filters")).click()
    page.get_by_label(label).first.click()
    page.get_by_role("option", name=value, exact=True).click()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


def test_a_manager_filters_the_audit_opens_a_run_and_downloads_the_file(
    visit: Visit, app: App, tmp_path: Path
) -> None:
    done = json.loads(app.command("sync", "admins", "--wait", "--json", check=False))
    page = visit("Michael Tan").open("/audit")
    expect(page.get_by_text(re.compile("Verified through|Not verified yet"))).to_be_visible()
    choose(page, "Resource", "Clinic admins")
    expect(page).to_have_url(re.compile("resource=admins"))
    expect(page.get_by_text(re.compile(r"^1 to \d+ of \d+ rows?$"))).to_be_visible()
    opened = visit("Michael Tan").open(f"/audit?run={done['run_id']}")  # as it was once sent
    expect(opened.get_by_role("heading", name=f"Run {done['run_id']}")).to_be_visible()
    expect(opened).to_have_url(re.compile(rf"/runs\?.*id={done['run_id']}"))
    expect(opened.get_by_text(re.compile("downloading .* s", re.IGNORECASE))).to_be_visible()
    opened.get_by_role("tab", name="Attempts").click()
    expect(opened).to_have_url(re.compile("part=Attempts"))
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    found = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline="")))
    assert str(done["run_id"]) in {line["Id"] for line in found if line["Entry"] == "run"}
    assert {line["Resource"] for line in found} == {"Clinic admins"}
    page = visit("Michael Tan").open("/audit?action=exported")
    expect(page.get_by_text(re.compile(r"^1 to \d+ of \d+ rows?$"))).to_be_visible()
    _choose_first(page)
    expect(page.get_by_text(hashlib.sha256(file.read_bytes()).hexdigest())).to_be_visible()


def _choose_first(page: Page) -> None:
    page.locator("[data-ready] tr[data-opens]").first.click()


def test_the_proof_of_a_row_is_downloaded_and_checked_with_python_alone(
    visit: Visit, app: App, tmp_path: Path
) -> None:
    # of these a row fails each time, so that there is one to open
    done = json.loads(app.command("sync", "services", "--wait", "--json", check=False))
    page = visit().open(f"/runs?id={done['run_id']}")
    page.locator(
        "[data-ready]:is(.st-key-table-failed, .st-key-table-run) tr[data-opens]"
    ).first.click()
    drawer = page.get_by_role("dialog")
    for link in ("Download proof", "Download verify_proof.py"):
        with page.expect_download() as download:
            drawer.get_by_role("link", name=link).click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
    command = [sys.executable, "-I", "-S", "verify_proof.py", f"run-{done['run_id']}-proof.json"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert "The proof holds" in told.stdout
    assert f"  run: {done['run_id']}\n" in told.stdout


def test_a_viewer_has_no_audit(visit: Visit) -> None:
    page = visit("Vera Olsen").open("/")
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)


def test_no_address_in_a_name_becomes_a_link(visit: Visit, app: App) -> None:
    name = "Olive olive@example.org www.example.org https://example.org"
    app.command("person", "set", "olive.park@example.org", name, "--role", "viewer")
    feed = visit().open().locator(".st-key-activity-feed")
    expect(feed).to_contain_text("Olive olive@")
    page = visit().open("/audit?action=changed+the+people")
    page.locator("[data-ready] tr[data-opens]").first.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("www")
    outside = "a[href^='mailto:'], a[href*='example.org']"
    expect(feed.locator(outside)).to_have_count(0)
    expect(drawer.locator(outside)).to_have_count(0)
