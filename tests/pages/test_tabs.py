import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sync_core.catalogue import resources
from sync_core.catalogue.resources import ENTITIES
from sync_core.execution import attempt
from sync_core.foundation import db, settings
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.records.outcome_format import KEY_SEPARATOR
from tests.support.desk import ANA, Desk
from tests.support.fakes.google import DEMO, Google
from tests.support.fakes.spreadsheets import Tab
from tests.support.pages import Visit

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
        ("Needs a person", "No row needs a person."),
        ("History", "There are no runs yet."),
    ):
        assert told in texts(open_tab(visit, tab))


def test_what_changed_tells_before_and_after(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth"), row("L2")])
    desk.sync("locations", locations=[LABELS, row("L1", city="Hobart"), row("L2"), row("L3")])
    table = open_tab(visit, "What changed").dataframe[0].value
    assert list(table["What"]) == ["City: Perth → Hobart", "It is new"]
    assert list(table["Key"]) == ["L1", "L3"]


def test_what_changed_is_filtered_by_kind(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", city="Perth")])
    run = desk.sync("locations", locations=[LABELS, row("L1", city="Hobart"), row("L2")])
    page = open_tab(visit, "What changed")
    page.pills(key=f"kinds-changes-{run.id}").set_value(["created"]).run()
    assert list(page.dataframe[0].value["Key"]) == ["L2"]


def test_a_row_that_failed_is_listed_with_its_cell_and_reason(visit: Visit, desk: Desk) -> None:
    run = desk.sync("locations", locations=[LABELS, row("L1"), row("L2", phone="no phone")])
    page = open_tab(visit, "Needs a person")
    table = page.dataframe[0].value
    assert list(table["Row"]) == [3]
    assert list(table["What"]) == ["G3: Invalid phone format"]
    links = [element.proto.body for element in page.get("html")]
    assert any(f"/api/v1/runs/{run.id}/rejects.csv" in link for link in links)


def test_a_cell_of_a_google_sheet_is_one_click_away(
    visit: Visit, google: Google, organization: Organization
) -> None:
    google.add(Tab("Locations", [LABELS, row("L1", phone="no phone")]))
    with db.begin() as connection:
        declared = resources.by_name("locations")
        found = source_settings.parse(organization, declared, DEMO, None, None, Path.cwd())
        source_settings.save(connection, organization, found)
    attempt.work(syncs.start(organization, "locations", ANA, "test").id)
    (link,) = open_tab(visit, "Needs a person").dataframe[0].value["Sheet"]
    assert link.startswith("https://docs.google.com/spreadsheets/d/")
    assert link.endswith("&range=G2")


def test_history_keeps_who_when_and_what(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1")])
    desk.folder = desk.folder / "nowhere"
    desk.sync("locations")
    table = open_tab(visit, "History").dataframe[0].value
    assert list(table["By"]) == ["Ana Ruiz", "Ana Ruiz"]
    assert [result[0] for result in table["Result"]] == ["Failed", "Synced"]
    assert list(table["Created"].fillna(-1)) == [-1, 1]


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
    keys = set(page.dataframe[0].value["Key"])
    assert keys == {"T1", "T1 · Monday · 08:00:00"}
    assert set(page.dataframe[0].value["Table"]) == {"Therapists", "Schedules"}
    assert not any(KEY_SEPARATOR in key for key in keys)
