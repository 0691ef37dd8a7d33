import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.audit import exports
from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import attempt
from sync_core.foundation import db, settings
from sync_core.foundation.settings import ROOT
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.records.outcome_format import KEY_SEPARATOR
from sync_core.runs import Run
from tests.support.desk import ANA, Desk
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Tab
from tests.support.pages import Visit, column, links, rows

LABELS = [field.label for field in ENTITIES["locations"].fields]


def row(code: str, name: str = "Clinic", city: str = "", phone: str = "") -> list[str]:
    cells = {"Location code": code, "Name": name, "City": city, "Phone": phone}
    return [cells.get(label, "") for label in LABELS]


def open_tab(visit: Visit, tab: str) -> AppTest:
    page = visit("locations")
    page.session_state["tab"] = tab
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return "\n".join(text.value for text in [*page.main.markdown, *page.main.caption])


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as google:
        monkeypatch.setenv("GOOGLE_API_BASE_URL", google.url)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(google.service_account()))
        settings.current.cache_clear()
        yield google
    monkeypatch.undo()
    settings.current.cache_clear()


def test_every_tab_says_so_where_it_has_nothing_to_show(visit: Visit) -> None:
    for tab, told in (
        ("Rows", "There are no locations yet."),
        ("What changed", "Nothing has been synced yet."),
        ("Needs attention", "Nothing needs attention."),
        ("Skipped", "No row was skipped."),
        ("History", "There are no runs yet."),
    ):
        assert told in texts(open_tab(visit, tab))


EVERY_TAB = ("Rows", "What changed", "Needs attention", "Skipped", "History")


@pytest.mark.parametrize("before", [True, False])
def test_what_needs_attention_after_a_sync_that_failed_as_a_whole_is_told_first(
    visit: Visit, desk: Desk, *, before: bool
) -> None:
    good = desk.sync("locations", locations=[LABELS, row("L1")]) if before else None
    failed = desk.sync("locations", locations=[["Code", *LABELS[1:]], row("L1")])
    assert failed.status == "failed"
    page = open_tab(visit, "Needs attention")
    (told,) = (one for one in page.main.error if "as a whole" in one.proto.title)
    assert told.proto.title == "The last sync failed as a whole. Nothing of it was applied."
    assert failed.message in told.value.replace("\\", "")
    assert f"Open run {failed.id}" in links(page)
    assert "No row needs attention." not in texts(page)
    since = f"As of run {good.id}, " if good else "No row was synced yet."
    assert since in texts(page)
    assert ("No row failed in it." in texts(page)) == before
    desk.sync("locations", locations=[LABELS, row("L1")])
    page = open_tab(visit, "Needs attention")
    assert not page.main.error
    assert "No row needs attention." in texts(page)


def test_an_empty_tab_has_the_button_that_ends_its_emptiness(visit: Visit, desk: Desk) -> None:
    for tab in EVERY_TAB:
        page = open_tab(visit, tab)
        assert [link.value for link in page.main.page_link] == ["Set the source"], tab
    desk.write("locations", [LABELS, row("L1")])
    desk.set_source("locations")
    for tab in EVERY_TAB:
        assert open_tab(visit, tab).button(key="first-sync-locations").label == "Sync locations"
    page.switch_page(str(ROOT / "pages" / "runs.py")).run()
    assert [link.value for link in page.main.page_link] == ["Open the overview"]
    page.switch_page(str(ROOT / "pages" / "locations.py")).run()
    page.button(key="first-sync-locations").click().run()
    assert not page.exception
    with db.everywhere() as connection:
        (run,) = runs.history(connection, desk.organization.id)
    assert (run.resource, run.active) == ("locations", True)
    assert not [button for button in page.button if button.key == "first-sync-locations"]


def test_who_may_not_sync_is_told_who_does(visit: Visit, desk: Desk) -> None:
    page = visit("locations", "vera.olsen@example.org")
    assert "An administrator sets it." in texts(page)
    desk.set_source("locations")
    page = visit("locations", "vera.olsen@example.org")
    assert "An analyst of your organization starts it." in texts(page)
    assert not [button for button in page.button if button.key == "first-sync-locations"]


def test_what_changed_tells_before_and_after(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth"), row("L2")])
    desk.sync("locations", locations=[LABELS, row("L1", city="Hobart"), row("L2"), row("L3")])
    page = open_tab(visit, "What changed")
    assert column(page, "Reason or change") == ["City: Perth → Hobart", "New record"]
    assert column(page, "Key") == ["L1", "L3"]


def test_what_changed_is_filtered_by_kind(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth")])
    desk.sync("locations", locations=[LABELS, row("L1", city="Hobart"), row("L2")])
    page = open_tab(visit, "What changed")
    page.pills(key="kinds-changes").set_value(["created"]).run()
    assert column(page, "Key") == ["L2"]


def test_search_and_filters_of_changes_and_failures_stand_in_the_address(
    visit: Visit, desk: Desk
) -> None:
    rows = [row("L1"), row("L2", phone="no phone"), row("L3", name="")]
    desk.sync("locations", locations=[LABELS, *rows])
    page = visit("locations", tab="What changed", **{"search-changes": "L9"})
    assert "Nothing matches." in texts(page)
    page.button(key="clear-changes").click().run()
    assert column(page, "Key") == ["L1"]
    assert "search-changes" not in page.query_params
    address = {"by-reason-failed": "bad_phone", "search-failed": "L2"}
    page = visit("locations", tab="Needs attention", **address)
    assert column(page, "Value") == ["no phone"]
    page.text_input(key="search-failed").set_value("L9").run()
    page.button(key="clear-failed").click().run()
    assert set(column(page, "Value")) == {"no phone", "blank"}
    assert not set(address) & set(page.query_params)
    page.text_input(key="search-failed").set_value("").run()
    page.selectbox(key="by-reason-failed").set_value(None).run()
    assert "by-reason-failed" not in page.query_params


def test_a_row_that_failed_is_listed_with_its_cell_and_reason(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=[LABELS, row("L1"), row("L2", phone="no phone")])
    page = open_tab(visit, "Needs attention")
    (line,) = rows(page, "Rows that failed")
    assert (line["Cell"], line["Value"]) == ("Locations!G3", "no phone")
    assert line["Problem"] == "Invalid phone format"
    assert line["Fix"] == CELL_CODES["bad_phone"].advice
    assert line["Record"] == "Clinic"
    links = [element.proto.body for element in page.get("html")]
    assert any(f"/api/v1/runs/{run.id}/rejects.csv" in link for link in links)


def test_a_cell_of_a_google_sheet_is_one_click_away(
    visit: Visit, google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", [LABELS, row("L1", phone="no phone")]))
    with db.everywhere() as connection:
        declared = resources.by_name("locations")
        found = source_settings.parse(organization, declared, DEMO, None, None)
        source_settings.save(connection, organization, found)
    attempt.work(syncs.start(organization, "locations", ANA, "test").id)
    links = [one.proto.body for one in open_tab(visit, "Needs attention").get("html")]
    assert re.search(
        r'href="https://docs\.google\.com/spreadsheets/d/[^"]*range=G2"', "".join(links)
    )


def test_history_keeps_who_when_and_what(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1")])
    (desk.folder / "locations.csv").unlink()
    desk.sync("locations")
    page = open_tab(visit, "History")
    assert column(page, "By") == ["Ana RuizIT · test"] * 2
    assert column(page, "Result") == ["errorFailed", "check_circleSynced"]
    assert column(page, "Created") == ["", "1"]


def test_a_key_of_several_parts_is_readable(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("LOC-1")])
    therapists = [field.label for field in ENTITIES["therapists"].fields]
    schedules = [field.label for field in ENTITIES["schedules"].fields]
    run = desk.sync(
        "therapists",
        therapists=[therapists, ["T1", "Ann Lee", *[""] * (len(therapists) - 2)]],
        schedules=[schedules, ["T1", "Monday", "08:00", "09:00", ""]],
    )
    assert run.status == "completed", run.log_message
    page = visit("therapists")
    page.session_state["tab"] = "What changed"
    page.run()
    keys = set(column(page, "Key"))
    assert keys == {"T1", "T1 · Monday · 08:00:00"}
    assert set(column(page, "Table")) == {"Therapists", "Schedules"}
    assert not any(KEY_SEPARATOR in key for key in keys)
    assert set(column(page, "Name")) == {"Ann Lee", "Ann Lee · Monday · 08:00"}


@pytest.fixture
def failed(desk: Desk) -> Run:
    """Two therapists that fail, the second with two schedules, and one whom a rule leaves out."""
    labels, hours = (
        [field.label for field in ENTITIES[name].fields] for name in ("therapists", "schedules")
    )
    cells = [
        {"Therapist ID": "T1", "Name": "Amy Fox", "Employment type": "FLAT"},
        {"Therapist ID": "T2", "Name": "Ben Cole", "Hourly rate": "lots"},
        {"Therapist ID": "T3", "Name": "Cy Ray", "Email": "no address"},
    ]
    times = [["T1", "Monday"], ["T3", "Monday"], ["T3", "Friday"]]
    return desk.sync(
        "therapists",
        therapists=[labels, *([one.get(label, "") for label in labels] for one in cells)],
        schedules=[hours, *([*day, "08:00", "09:00", ""] for day in times)],
    )


def of_therapists(visit: Visit, tab: str, email: str = "ana.ruiz@example.org") -> AppTest:
    page = visit("therapists", email)
    page.session_state["tab"] = tab
    return page.run()


@pytest.mark.usefixtures("failed")
def test_failures_stand_below_their_cause_and_skips_elsewhere(visit: Visit) -> None:
    lines = rows(of_therapists(visit, "Needs attention"), "Rows that failed")
    record, *following = [line for line in lines if line["Record"].startswith(("Cy Ray", "T3"))]
    assert record["Value"] == "no address"
    assert [line["Problem"] for line in following] == ["Therapist ID T3 failed (row 4)"] * 2
    place = lines.index(record)
    assert lines[place + 1 : place + 3] == following
    assert not [line for line in lines if "Amy Fox" in line["Record"] or "FLAT" in line["Problem"]]
    skipped = of_therapists(visit, "Skipped")
    assert column(skipped, "Key") == ["T1", "T1 · Monday · 08:00:00"]


@pytest.mark.parametrize("email", ["vera.olsen@example.org", "ana.ruiz@example.org"])
def test_the_bad_value_is_shown_to_whom_may_see_it(visit: Visit, failed: Run, email: str) -> None:
    page = of_therapists(visit, "Needs attention", email)
    (line,) = (one for one in rows(page) if one["Record"] == "Ben Cole")
    assert line["Value"] == ("lots" if email.startswith("ana") else "Hidden")
    number = re.search(r"[0-9]+$", line["Cell"])
    assert number
    opened = visit("runs", email, id=failed.id, failure=f"therapists:{number[0]}")
    (wrong,) = rows(opened, "What is wrong")  # in the drawer
    assert wrong == {name: line[name] for name in ("Cell", "Value", "Problem", "Fix")}


def test_the_file_holds_what_the_tab_lists(visit: Visit, failed: Run, desk: Desk) -> None:
    shown = rows(of_therapists(visit, "Needs attention"), "Rows that failed")
    text = b"".join(exports.write(exports.rejects(desk.organization, ANA, failed))).decode()
    file = list(csv.DictReader(io.StringIO(text)))
    for name in ("Value", "Problem", "Fix"):
        assert [line[name] for line in file] == [line[name] for line in shown]
    assert all(line["Cell"] in one["Cell"] for line, one in zip(file, shown, strict=True))
    skips = exports.rejects(desk.organization, ANA, failed, skipped=True)
    text = b"".join(exports.write(skips)).decode()
    assert [line["Rule"] for line in csv.DictReader(io.StringIO(text))] == ["FLAT", "FLAT"]
