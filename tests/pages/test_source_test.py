"""The test of a source on its page: what a sync would find, and the first rows."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from tests.pages.test_resource_page import NASTY
from tests.support import bombs
from tests.support.desk import Desk, Rows
from tests.support.locations import HEADER, LOCATIONS, row
from tests.support.pages import Visit, rows
from tests.support.waiting import eventually


def after_a_test(visit: Visit, desk: Desk, rows: Rows) -> AppTest:
    desk.write("locations", rows)
    return at_the_end(visit, desk)


def at_the_end(visit: Visit, desk: Desk) -> AppTest:
    desk.set_source("locations")
    page = visit("locations")
    page.button(key="test-locations").click().run()
    eventually(lambda: "close-test-locations" in {one.key for one in page.run().button}, 90)
    assert not page.exception
    return page


def test_what_a_sync_would_refuse_is_listed_with_the_first_rows(visit: Visit, desk: Desk) -> None:
    page = after_a_test(
        visit, desk, [*LOCATIONS, row("L1", NASTY), row("L4", "A", Phone="no phone")]
    )
    warning = next(one for one in page.warning if "A sync would" in one.proto.title)
    assert warning.proto.title == "A sync would refuse 2 rows"
    shown = warning.value.replace("\\", "")
    assert "Locations!A4: Duplicate of row 2: Location code L1" in shown
    sample = rows(page, "The first rows of locations")
    assert list(sample[0]) == HEADER
    assert [line["Name"] for line in sample] == ["Harbour Clinic", "Mill Clinic", NASTY, "A"]


def test_a_source_that_is_right_is_green_and_can_be_closed(visit: Visit, desk: Desk) -> None:
    page = after_a_test(visit, desk, LOCATIONS)
    assert [one.proto.title for one in page.success] == ["The source can be read"]
    page.button(key="close-test-locations").click().run()
    assert not page.success


def test_a_header_that_a_sync_would_refuse_is_red(visit: Visit, desk: Desk) -> None:
    page = after_a_test(visit, desk, [[*HEADER, "City"], *LOCATIONS[1:]])
    assert [one.proto.title for one in page.error] == ["The source cannot be read"]
    assert "City" in page.error[0].value


def test_a_source_that_takes_too_much_memory_is_red_and_the_page_lives(
    visit: Visit, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bombs.workbook_of_texts(Path(desk.folder, "locations.xlsx"))
    monkeypatch.setenv("SYNCDESK_MEMORY_LIMIT", "700")
    settings.current.cache_clear()
    page = at_the_end(visit, desk)
    assert [one.proto.title for one in page.error] == ["The source cannot be read"]
    said = SyncError("too_much_memory", limit=700)
    assert page.error[0].value.replace("\\", "") == f"{said.sentence} {said.advice}"
    monkeypatch.undo()
    settings.current.cache_clear()
