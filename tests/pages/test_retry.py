"""Failed rows tried again, and two runs beside each other, on the pages."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation import db
from sync_core.operations import syncs
from sync_core.runs import Run, retries
from sync_core.ui.runs import comparison_view
from tests.pages.test_resource_page import again, keys
from tests.pages.test_tabs import LABELS, open_tab, row, texts
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, column, healthy, links, strip


@pytest.fixture
def partial(desk: Desk) -> Run:
    rows = [row("L1", "Mill Clinic"), row("L2", "Harbour Clinic", phone="no phone")]
    return desk.sync("locations", locations=[LABELS, *rows])


def test_the_fixed_rows_are_synced_by_one_click(visit: Visit, desk: Desk, partial: Run) -> None:
    page = open_tab(visit, "Needs attention")
    fixed = [row("L1", "Another name"), row("L2", "Harbour Clinic", phone="08 9192 3402")]
    desk.write("locations", [LABELS, *fixed])
    page.button(key=f"retry-{partial.id}").click().run()
    healthy(page)
    with db.everywhere() as connection:
        retry = runs.latest(connection, partial.organization_id)["locations"]
    assert desk.work(retry).status == "completed"
    page.session_state["tab"] = "Rows"
    assert column(again(page), "Name") == ["Mill Clinic", "Harbour Clinic"]
    told = [link.value for link in visit().main.page_link]
    assert any("synced the fixed rows of locations" in text for text in told)


def test_what_was_tried_again_needs_a_person_only_where_it_still_fails(
    visit: Visit, desk: Desk
) -> None:
    wrong = [row(code, code, phone="no phone") for code in ("L1", "L2")]
    first = desk.sync("locations", locations=[LABELS, *wrong])
    assert (first.status, to_mend(visit)) == ("partial", ["L1", "L2"])
    desk.write("locations", [LABELS, row("L1", "L1"), wrong[1]])
    retry = desk.work(syncs.retry(desk.organization, first.id, ANA, "test"))
    assert to_mend(visit) == ["L2"]
    told = [link.proto.label for link in visit().get("page_link")]
    assert [text for text in told if "1 row failed again" in text]
    with db.everywhere() as connection:
        runs_of = desk.organization.id, desk.organization.id + 1
        tried = [retries.latest(connection, one, {"locations": first}) for one in runs_of]
    assert [list(found) for found in tried] == [["locations"], []]  # each has only its own
    desk.write("locations", [LABELS, row("L1"), row("L2")])
    desk.work(syncs.retry(desk.organization, retry.id, ANA, "test"))
    assert to_mend(visit) == []
    assert "none fails any more" in texts(open_tab(visit, "Needs attention"))
    assert not [one for one in visit().get("page_link") if "failed" in one.proto.label]


def test_a_retry_is_told_as_what_it_changed(visit: Visit, desk: Desk, partial: Run) -> None:
    assert "retried" not in strip(visit("locations")).since
    fixed = [row("L1", "Another name"), row("L2", "Harbour Clinic", phone="08 9192 3402")]
    desk.write("locations", [LABELS, *fixed])
    retry = desk.work(syncs.retry(desk.organization, partial.id, ANA, "test"))
    page = open_tab(visit, "What changed")
    choice = page.button_group(key=f"changes-of-{partial.id}")
    assert list(choice.options) == [
        f"Retry of failed rows, run {retry.id}: 1 row changed",
        f"Sync, run {partial.id}: 1 row changed",
    ]
    assert column(page, "Key") == ["L2"]
    choice.set_value(partial.id).run()
    assert column(page, "Key") == ["L1"]
    told = strip(visit("locations")).since
    assert "Last sync, partly: " in told
    assert re.search(r"; its failed rows retried [\w ,:]+ by Ana Ruiz", told)
    overview = "".join(element.proto.body for element in visit().get("html"))
    assert "Locations, failed rows retried, by Ana Ruiz" in overview
    assert "by Ana Ruiz, retry" in texts(visit())
    syncs.undo(desk.organization, retry.id, ANA, "test")
    with db.everywhere() as connection:
        undo = desk.work(runs.latest(connection, retry.organization_id)["locations"])
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    page = open_tab(visit, "What changed")
    assert column(page, "Key") == ["L1"]
    assert "retried" not in strip(visit("locations")).since


def test_a_retry_that_changed_nothing_is_no_change(visit: Visit, desk: Desk, partial: Run) -> None:
    desk.work(syncs.retry(desk.organization, partial.id, ANA, "test"))
    page = open_tab(visit, "What changed")
    assert f"changes-of-{partial.id}" not in {group.key for group in page.button_group}
    assert column(page, "Key") == ["L1"]


def test_rows_that_a_rule_leaves_out_stay_listed_after_a_retry(visit: Visit, desk: Desk) -> None:
    labels = [field.label for field in ENTITIES["therapists"].fields]
    cells = [
        {"Therapist ID": "T1", "Name": "Amy Fox", "Employment type": "FLAT"},
        {"Therapist ID": "T2", "Name": "Ben Cole", "Email": "no address"},
    ]
    rows = [[one.get(label, "") for label in labels] for one in cells]
    schedules = [[field.label for field in ENTITIES["schedules"].fields]]
    first = desk.sync("therapists", therapists=[labels, *rows], schedules=schedules)
    desk.work(syncs.retry(desk.organization, first.id, ANA, "test"))
    page = visit("therapists")
    page.session_state["tab"] = "Needs attention"
    page.run()
    assert column(page, "Record") == ["Ben Cole"]
    page.session_state["tab"] = "Skipped"
    assert column(page.run(), "Name") == ["Amy Fox"]


def to_mend(visit: Visit) -> list[str]:
    page = open_tab(visit, "Needs attention")
    return column(page, "Record")


def test_nobody_retries_who_may_not_sync(visit: Visit, partial: Run) -> None:
    page = visit("locations", "vera.olsen@example.org")
    page.session_state["tab"] = "Needs attention"
    page.run()
    assert f"retry-{partial.id}" not in keys(page)


def beside(page: AppTest, run: Run) -> dict[str, tuple[str, ...]]:
    """Return the table that shows a run beside another one."""
    (table,) = (t.value for t in page.table if f"Run {run.id}" in t.value)
    return {line[0]: tuple(line[1:]) for line in table.to_numpy().tolist()}


def test_two_runs_stand_beside_each_other(visit: Visit, desk: Desk, partial: Run) -> None:
    later = desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic"), row("L3")])
    page = visit("runs", id=later.id)
    page.selectbox(key=f"compare-{later.id}").set_value(f"{partial.id}").run()
    healthy(page)
    counts = beside(page, partial)
    assert counts["Created"] == ("1", "1")
    assert counts["Failed"] == ("**1**", "**0**")
    assert any("failed only in run" in one.label for one in page.expander)
    assert "took only the rows" not in captions(page)


def test_what_a_run_is_compared_with_stands_in_the_address(
    visit: Visit, desk: Desk, partial: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic")])
    page = visit("runs", id=later.id)
    choice = f"compare-{later.id}"
    page.selectbox(key=choice).set_value(f"{partial.id}").run()
    assert page.query_params["compare"] == f"{partial.id}"
    monkeypatch.setattr(comparison_view, "MAX_RUNS", 1)  # as if many had run since
    page = visit("runs", id=later.id, compare=partial.id)
    assert beside(page, partial)["Failed"] == ("**1**", "**0**")
    page.selectbox(key=choice).set_value(None).run()
    assert "compare" not in page.query_params
    admins = desk.sync("admins", admins=[["Email", "Name", "Role", "Team", "Active"]])
    for number in (admins.id, later.id, "9" * 30, "x"):
        page = visit("runs", id=partial.id, compare=number)
        assert (page.selectbox(key=f"compare-{partial.id}").value or "") != f"{admins.id}"


def test_a_run_of_some_rows_beside_one_of_all_says_so(
    visit: Visit, desk: Desk, partial: Run
) -> None:
    retry = desk.work(syncs.retry(desk.organization, partial.id, ANA, "test"))
    undo = desk.work(syncs.undo(desk.organization, partial.id, ANA, "test"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    told = captions(visit("runs", id=retry.id, compare=partial.id))
    assert f"Run {retry.id} took only the rows that had failed in run {partial.id}:" in told
    told = captions(visit("runs", id=partial.id, compare=undo.id))
    assert f"Run {undo.id} undid run {partial.id}: its numbers are of records" in told


def test_rows_of_a_run_before_the_latest_are_told_as_such_and_no_result_of_that(
    visit: Visit, desk: Desk, partial: Run
) -> None:
    assert "show-failed-locations" in keys(visit("locations"))
    assert "As of run" not in captions(open_tab(visit, "Needs attention"))
    failed = desk.sync("locations", locations=[["A", "B"], ["x", "y"]])
    assert failed.status == "failed"
    assert "show-failed-locations" not in keys(visit("locations"))
    page = open_tab(visit, "Needs attention")
    assert f"As of run {partial.id}, " in captions(page)
    assert f"The latest run is {failed.id}: failed." in captions(page)
    assert column(page, "Record") == ["Harbour Clinic"]


def test_a_run_tells_what_its_retries_have_fixed_and_offers_another_while_rows_are_left(
    visit: Visit, desk: Desk
) -> None:
    wrong = [row(code, code, phone="no phone") for code in ("L1", "L2")]
    first = desk.sync("locations", locations=[LABELS, *wrong])
    assert "fixed since" not in links(visit("runs", id=first.id))
    desk.write("locations", [LABELS, row("L1", "L1"), wrong[1]])
    retry = desk.work(syncs.retry(desk.organization, first.id, ANA, "test"))
    page = visit("runs", id=first.id)
    assert f"1 of 2 rows fixed since by run {retry.id}." in links(page)
    assert f"retry-{first.id}" in keys(page)
    desk.write("locations", [LABELS, row("L1"), row("L2")])
    second = desk.work(syncs.retry(desk.organization, retry.id, ANA, "test"))
    page = visit("runs", id=first.id)
    assert f"2 of 2 rows fixed since by runs {retry.id} and {second.id}." in links(page)
    assert f"retry-{first.id}" not in keys(page)


def test_a_run_tells_what_a_later_sync_has_fixed_and_offers_no_retry(
    visit: Visit, desk: Desk
) -> None:
    wrong = [row(code, code, phone="no phone") for code in ("L1", "L2")]
    first = desk.sync("locations", locations=[LABELS, *wrong])
    some = desk.sync("locations", locations=[LABELS, row("L1", "L1"), wrong[1]])
    page = visit("runs", id=first.id)
    told = f"1 of 2 rows fixed since by run {some.id}, which read everything again. 1 still fails"
    assert told in links(page)
    assert f"retry-{first.id}" not in keys(page)
    assert f"retry-{some.id}" in keys(visit("runs", id=some.id))
    every = desk.sync("locations", locations=[LABELS, row("L1"), row("L2")])
    for run, rows in ((first, "2 of 2 rows"), (some, "1 of 1 row")):
        page = visit("runs", id=run.id)
        assert f"{rows} fixed since by run {every.id}, which read everything again." in links(page)
        assert f"retry-{run.id}" not in keys(page)


def captions(page: AppTest) -> str:
    return "\n".join(text.value for text in page.main.caption).replace("\\", "")
