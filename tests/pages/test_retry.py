"""Failed rows tried again, and two runs beside each other, on the pages."""

import pytest

from sync_core import runs
from sync_core.foundation import db
from sync_core.runs import Run
from tests.pages.test_resource_page import again, keys
from tests.pages.test_tabs import LABELS, open_tab, row
from tests.support.desk import Desk
from tests.support.pages import Visit, healthy


@pytest.fixture
def partial(desk: Desk) -> Run:
    rows = [row("L1", "Mill Clinic"), row("L2", "Harbour Clinic", phone="no phone")]
    return desk.sync("locations", locations=[LABELS, *rows])


def test_the_fixed_rows_are_synced_by_one_click(visit: Visit, desk: Desk, partial: Run) -> None:
    page = open_tab(visit, "Needs a person")
    fixed = [row("L1", "Another name"), row("L2", "Harbour Clinic", phone="08 9192 3402")]
    desk.write("locations", [LABELS, *fixed])
    page.button(key=f"retry-{partial.id}").click().run()
    healthy(page)
    with db.begin() as connection:
        retry = runs.latest(connection, partial.organization_id)["locations"]
    assert desk.work(retry).status == "completed"
    page.session_state["tab"] = "Rows"
    assert list(again(page).dataframe[0].value["Name"]) == ["Mill Clinic", "Harbour Clinic"]
    told = [text.value for text in visit().main.markdown]
    assert any("synced the fixed rows of locations" in text for text in told)


def test_nobody_retries_who_may_not_sync(visit: Visit, partial: Run) -> None:
    page = visit("locations", "vera.olsen@example.org")
    page.session_state["tab"] = "Needs a person"
    page.run()
    assert f"retry-{partial.id}" not in keys(page)


def test_two_runs_stand_beside_each_other(visit: Visit, desk: Desk, partial: Run) -> None:
    later = desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic"), row("L3")])
    page = visit("audit")
    page.query_params["run"] = str(later.id)
    page.run()
    page.selectbox(key=f"compare-{later.id}").set_value(partial.id).run()
    healthy(page)
    (table,) = (t.value for t in page.table if f"Run {partial.id}" in t.value)
    counts = {line[0]: tuple(line[1:]) for line in table.to_numpy().tolist()}
    assert counts["Created"] == ("1", "1")
    assert counts["Failed"] == ("**1**", "**0**")
    assert any("failed only in run" in one.label for one in page.expander)
