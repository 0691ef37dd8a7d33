"""A run at its own address."""

import re

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.api import addresses
from sync_core.foundation import db
from sync_core.foundation.errors import CATALOGUE
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.pages.test_tabs import LABELS, row, texts
from tests.support.desk import Desk
from tests.support.pages import Visit, column, rows

VERA, ANA_RUIZ = "vera.olsen@example.org", "ana.ruiz@example.org"


def partial(desk: Desk) -> Run:
    rows = [row("L1"), row("L2", phone="no phone"), row("L3", phone="no phone either")]
    return desk.sync("locations", locations=[LABELS, *rows])


def shown(page: AppTest) -> str:
    """Return all that the page says of a run."""
    return texts(page) + "".join(element.proto.body for element in page.get("html"))


def test_a_run_tells_its_result_who_asked_when_and_what_it_read(visit: Visit, desk: Desk) -> None:
    run = partial(desk)
    page = visit("runs", VERA, id=run.id)
    told = shown(page).replace("\\", "")
    assert page.title[0].value == f"Run {run.id}"
    assert f"Partly synced] {run.message}" in told
    assert all(
        fact in told
        for fact in ("Ana Ruiz, IT", "ana.ruiz@example.org", "the organization&#39;s folder")
    )
    assert re.search(r"\d+ bytes read", told)
    assert "2 rows · Phone: Invalid phone" in told
    failed = rows(page, "Rows that failed")
    assert [line["Value"] for line in failed] == ["no phone", "no phone either"]
    assert [tab.label for tab in page.tabs] == ["Log", "Attempts"]


def test_a_run_says_nothing_in_the_words_of_the_program(visit: Visit, desk: Desk) -> None:
    run = partial(desk)
    page = visit("runs", id=run.id)
    (attempt,) = rows(page, "Attempts at the run")
    assert attempt["How it ended"] == "Partly synced"
    assert re.fullmatch(r"Process \d+ on \S+", attempt["Worker"])
    assert run.log_message not in shown(page)


def test_the_searches_of_a_run_say_what_each_looks_through(visit: Visit, desk: Desk) -> None:
    page = visit("runs", id=partial(desk).id)
    labels = [box.label for box in page.main.text_input]
    assert labels == ["Search failed rows", "Search all rows"]
    assert all(box.placeholder.startswith(box.label) for box in page.main.text_input)


def test_advice_is_what_its_reader_can_do(visit: Visit, desk: Desk) -> None:
    run = desk.start("locations")
    desk.folder.rename(desk.folder.with_name("moved"))
    ended = desk.work(run)
    assert CATALOGUE[ended.error_code or ""].who == "administrator"
    for_admin, for_analyst = (
        shown(visit("runs", person, id=run.id)).replace("\\", "") for person in (ANA_RUIZ, VERA)
    )
    assert ended.advice in for_admin
    assert "ask an administrator to fix this" in for_analyst
    assert ended.advice not in for_analyst
    popovers = visit("runs", VERA, id=run.id).get("popover")
    assert "Copy details for support" in [one.proto.popover.label for one in popovers]


def test_the_rows_of_a_run_open_by_the_address(visit: Visit, desk: Desk) -> None:
    run = partial(desk)
    page = visit("runs", id=run.id, row="locations:3:L2")
    (wrong,) = rows(page, "What is wrong")
    assert "Invalid phone format" in wrong["Problem"]


@pytest.mark.parametrize(
    ("email", "is_offered"), [(ANA_RUIZ, True), ("michael.tan@example.org", False), (VERA, False)]
)
def test_the_proof_of_a_row_is_offered_to_who_may_see_all_of_it(
    visit: Visit, desk: Desk, email: str, *, is_offered: bool
) -> None:
    run = partial(desk)
    page = visit("runs", email, id=run.id, row="locations:3:L2")
    assert "Invalid phone format" in column(page, "Problem", "What is wrong")[0]
    address = addresses.of_proof(run.id, desk.organization.slug, "locations", 3, [])
    assert (address.replace("&", "&amp;") in shown(page)) is is_offered
    assert (addresses.PROOF_SCRIPT in shown(page)) is is_offered


def test_a_row_of_a_plan_has_no_proof_yet(visit: Visit, desk: Desk) -> None:
    run = desk.preview("locations", locations=[LABELS, row("L1")])
    page = visit("runs", ANA_RUIZ, id=run.id, row="locations:2:L1")
    assert any("row 2 of the source" in text.value for text in page.markdown)
    assert "proof.json" not in shown(page)


def test_a_row_that_no_number_names_opens_nothing(visit: Visit, desk: Desk) -> None:
    run = partial(desk)
    for number in ("9" * 5000, "\u0663", "-1", "1_0", ""):
        page = visit("runs", id=run.id, failure=f"locations:{number}", row=f"locations:{number}")
        assert page.title[0].value == f"Run {run.id}"


def test_a_run_of_another_organization_is_found_only_by_its_people(
    visit: Visit, desk: Desk
) -> None:
    run = partial(desk)
    page = visit("runs", id=run.id)
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{desk.organization.slug}-2", "Bay Clinics")
        for name, email in (("Ana Ruiz", "ana.ruiz@example.org"), ("Bo Ek", "bo.ek@example.org")):
            people.add(connection, other.id, Person(name, email, Role.VIEWER))
    st.cache_resource.clear()
    page.query_params["org"] = other.slug
    assert page.run().title[0].value == f"Run {run.id}"
    page = visit("runs", "bo.ek@example.org", org=other.slug, id=run.id)
    assert "There is no run" in page.error[0].proto.title
    assert [title.value for title in page.title] == ["Runs"]
    assert not rows(page)


def test_without_a_number_the_latest_runs_of_all_resources_are_listed(
    visit: Visit, desk: Desk
) -> None:
    run = partial(desk)
    page = visit("runs", VERA)
    assert column(page, "Run") == [f"{run.id}"]
    assert column(page, "Resource") == ["Locations"]


def test_the_runs_are_found_by_their_resource_and_their_result(visit: Visit, desk: Desk) -> None:
    good, bad = desk.sync("locations", locations=[LABELS, row("L1")]), partial(desk)
    admins = desk.sync("admins", admins=[["no header of ours"]])
    page = visit("runs", resource="locations", result="Partly synced")
    assert column(page, "Run") == [f"{bad.id}"]
    page.button_group(key="resource").set_value(["locations", "admins"]).run()
    page.button_group(key="result").set_value(["Synced", "Failed"]).run()
    assert column(page, "Run") == [f"{admins.id}", f"{good.id}"]
    page.button_group(key="result").set_value(["Cancelled"]).run()
    assert column(page, "Run") == []
    assert "Nothing matches." in texts(page)
    page.button(key="clear-runs").click().run()
    assert len(column(page, "Run")) == 3


def test_an_address_that_was_sent_before_runs_had_one_still_leads_there(
    visit: Visit, desk: Desk
) -> None:
    run = partial(desk)
    page = visit("locations", tab="History", run=run.id)
    assert page.title[0].value == f"Run {run.id}"


@pytest.mark.parametrize("number", ["x", "-1", "0", "987654321", "9" * 30])
def test_a_run_that_there_is_not_is_a_sentence_with_the_way_to_all_runs(
    visit: Visit, desk: Desk, number: str
) -> None:
    page = visit("runs", id=number)
    assert "There is no run" in page.error[0].proto.title
    run = partial(desk)
    page.button(key="all-runs").click().run()
    assert column(page, "Run") == [f"{run.id}"]
    assert "id" not in page.query_params


def test_the_log_of_a_run_that_has_just_begun_follows(visit: Visit, desk: Desk) -> None:
    run = desk.start("locations")
    page = shown(visit("runs", id=run.id))
    assert "Its log follows." in page
    assert "No log is kept" not in page
