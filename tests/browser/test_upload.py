"""A file that somebody has at hand is synced on a page."""

import hashlib
import json
import re
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import App, Visit
from tests.support.locations import HEADER, row
from tests.support.workbooks import saved, workbook

DONE = re.compile(r"Processed \d+ locations")
NAME = "clinics of may.xlsx"


@pytest.fixture
def clinics(tmp_path: Path) -> Path:
    rows = [row(f"UP{n}", f"Uploaded Clinic {n}", City="Hobart") for n in range(1, 4)]
    broken = row("UP4", "Uploaded Clinic 4", Phone="none of ours")
    return saved(workbook(["Our clinics"], HEADER, *rows, broken), tmp_path / NAME)


def choose(page: Page, *files: Path) -> None:
    page.get_by_role("button", name="From a file").first.click()
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(list(files))
    for file in files:
        expect(page.get_by_role("dialog").get_by_text(file.name)).to_be_visible()


@pytest.fixture(scope="module")
def files(app: App) -> str:
    """Make an organization whose tables are empty, with people of its own; returns its slug."""
    slug = "files"
    app.command("org", "add", slug, "File Clinics")
    for name, role in (("Uma Field", "analyst"), ("Omar Reed", "admin")):
        address = f"{name.replace(' ', '.').lower()}@example.org"
        app.command("person", "set", address, name, "--role", role, "--org", slug)
    url = app.command("env").split("'")[1]
    with psycopg.connect(url) as connection:  # they have taken their places
        connection.execute("set syncdesk.within = 'everywhere'")
        connection.execute(
            "update people set accepted_at = now() where accepted_at is null and email in"
            " ('uma.field@example.org', 'omar.reed@example.org')"
        )
    return slug


def test_a_workbook_is_synced_and_its_broken_row_is_listed_with_its_reason(
    visit: Visit, app: App, files: str, clinics: Path
) -> None:
    page = visit("Uma Field").open("/locations")
    choose(page, clinics)
    page.get_by_role("button", name="Sync this file").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    done = page.locator(".strip").filter(has_text=DONE)
    expect(done).to_contain_text("3 created")
    expect(done).to_contain_text("1 failed")
    page.get_by_role("button", name="Show the rows that failed").click()
    expect(page.get_by_text("1 to 1 of 1 problem")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    assert "Invalid phone format" in download.value.path().read_text("utf-8-sig")
    expect(page.get_by_text(f"by Uma Field from the file {NAME}")).to_be_visible()
    (run, *_) = json.loads(app.command("history", "locations", "--org", files, "--json"))["runs"]
    told = visit("Omar Reed").open(f"/runs?id={run['run_id']}")
    digest = hashlib.sha256(clinics.read_bytes()).hexdigest()
    expect(told.get_by_text(re.compile(f"File {NAME}, .*SHA-256 {digest}"))).to_be_visible()


def test_what_is_wrong_with_a_file_is_said_in_the_dialog(visit: Visit, tmp_path: Path) -> None:
    page = visit("Sarah Lim").open("/locations")
    short = saved(workbook(HEADER[:-1], row("UP1")[:-1]), tmp_path / "short.xlsx")
    choose(page, short)
    for _ in range(2):  # and again: the file is looked into from its beginning
        page.get_by_role("button", name="Sync this file").click()
        error = page.get_by_role("dialog").get_by_test_id("stAlert")
        expect(error).to_contain_text("Column 'Active' is missing.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_resource_of_several_tables_takes_a_file_for_each(visit: Visit, tmp_path: Path) -> None:
    page = visit("Sarah Lim").open("/therapists")
    alone = tmp_path / "therapists.csv"
    alone.write_text("Therapist ID,Name\n")
    page.get_by_role("button", name="From a file").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("A workbook with a tab for each table")).to_be_visible()
    expect(dialog.get_by_role("button", name="Sync these files")).to_be_disabled()
    dialog.locator("input[type=file]").set_input_files(alone)
    dialog.get_by_role("button", name="Sync these files").click()
    expect(dialog.get_by_test_id("stAlert")).to_contain_text("is missing")


def reach(page: Page, button: Locator) -> None:
    """Go on by Tab until a button has the focus."""
    expect(button).to_be_enabled()
    for _ in range(60):
        if button.evaluate("button => button === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not reach {button}")


def test_a_csv_is_synced_by_the_keyboard_alone(visit: Visit, files: str, tmp_path: Path) -> None:
    sheet = tmp_path / "clinics.csv"
    rows = [HEADER, row("KB1", "Keyboard Clinic", City="Hobart")]
    sheet.write_text("".join(",".join(map(str, cells)) + "\n" for cells in rows), encoding="utf-8")
    assert files
    page = visit("Uma Field").open("/locations")
    page.on("filechooser", lambda asks: asks.set_files(sheet))  # as the machine's own dialog would
    reach(page, page.get_by_role("button", name="From a file"))
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    reach(page, dialog.get_by_role("button", name="Upload", exact=True))
    page.keyboard.press("Enter")
    expect(dialog.get_by_text(sheet.name)).to_be_visible()
    reach(page, dialog.get_by_role("button", name="Sync this file"))
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    done = page.locator(".strip").filter(has_text="Processed 1 location")
    expect(done).to_contain_text("1 created", timeout=30_000)


def test_who_may_not_sync_is_not_asked_for_a_file(visit: Visit) -> None:
    page = visit("Vera Olsen").open("/locations")
    expect(page.get_by_role("tab", name="History")).to_be_visible()  # below where it would be
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    expect(page.get_by_role("button", name="From a file")).to_have_count(0)
