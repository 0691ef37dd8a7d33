"""The history of a record, as the page of its resource opens it."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from sync_core.api import addresses
from sync_core.catalogue import resources
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import administration, syncs
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from tests.pages.test_tabs import LABELS, row
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, healthy


@pytest.fixture
def changed(desk: Desk) -> Run:
    """Return the second run of two; between them, somebody edited the table."""
    desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic", city="Perth")])
    with db.everywhere() as connection:
        edit = "update locations set city = 'Darwin' where organization_id = :org"
        connection.execute(sa.text(edit), {"org": desk.organization.id})
    return desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic", city="Hobart")])


def opened(visit: Visit, *key: str, email: str = "ana.ruiz@example.org") -> AppTest:
    page = visit("locations", email)
    page.query_params["record"] = "locations"
    page.query_params["key"] = list(key)
    return healthy(page.run())


def history(page: AppTest) -> str:
    return "\n".join(part.proto.body for part in page.get("html") if "happened" in part.proto.body)


def test_an_address_opens_the_history_of_a_record_newest_first(visit: Visit, changed: Run) -> None:
    told = history(opened(visit, "L1"))
    outside = f"Changed outside of Sync Desk between run {changed.id - 1} and run {changed.id}"
    places = [told.index(f"<b>{what}</b>") for what in ("Updated", outside, "Created")]
    assert places == sorted(places)
    assert "by Ana Ruiz, IT" in told
    assert "row 2 of the source" in told
    assert all(text in told for text in ("Darwin", "Hobart", "not known"))


def test_a_history_writes_values_as_the_table_does(visit: Visit, desk: Desk) -> None:
    cells = {"Location code": "L1", "Name": "Mill Clinic", "Phone": "+61 8 9946 3961"}
    cells |= {"Opened on": "2016-02-11", "Active": "no"}
    desk.sync("locations", locations=[LABELS, [cells.get(label, "") for label in LABELS]])
    told = history(opened(visit, "L1"))
    assert all(text in told for text in ("+61 8 9946 3961", "11 Feb 2016", ">No<"))


def test_a_run_of_a_history_is_one_click_away(visit: Visit, changed: Run) -> None:
    told = history(opened(visit, "L1"))
    assert re.search(rf'href="/runs\?org=[\w-]+&amp;id={changed.id}"', told)
    page = visit("runs", "vera.olsen@example.org", id=changed.id)
    assert page.title[0].value == f"Run {changed.id}"


def test_a_record_is_shown_as_it_was_on_a_day(visit: Visit, changed: Run) -> None:
    assert changed.finished_at
    page = opened(visit, "L1")
    page.date_input(key="as-of-locations").set_value(datetime.now(UTC).date() - timedelta(days=2))
    page.run()
    assert any("It did not exist on" in alert.value for alert in page.info)
    page.date_input(key="as-of-locations").set_value(datetime.now(UTC).date()).run()
    assert "Hobart" in history(page)
    assert "Darwin" not in history(page)


def test_values_that_were_dropped_are_told(visit: Visit, desk: Desk, changed: Run) -> None:
    assert changed.finished_at
    administration.drop_values(desk.organization, ANA, datetime.now(UTC))
    page = opened(visit, "L1")
    assert "its values were deleted" in history(page)
    assert any("were deleted." in caption.value for caption in page.caption)


def test_a_record_that_is_not_there_is_told_in_a_sentence(visit: Visit, changed: Run) -> None:
    assert changed.id
    page = opened(visit, "L2")
    assert any("There is no record" in alert.proto.title for alert in page.error)


def test_only_who_may_export_gets_the_file_of_a_history(visit: Visit, changed: Run) -> None:
    assert changed.id
    links = {
        email: "history.csv"
        in str([part.proto.body for part in opened(visit, "L1", email=email).get("html")])
        for email in ("ana.ruiz@example.org", "vera.olsen@example.org")
    }
    assert list(links.values()) == [True, False]


def test_each_entry_of_a_history_has_its_proof_for_who_may_see_all_of_it(
    visit: Visit, desk: Desk, changed: Run
) -> None:
    told = history(opened(visit, "L1"))
    address = addresses.of_proof(changed.id, desk.organization.slug, "locations", 2, ["L1"])
    assert address.replace("&", "&amp;") in told
    assert told.count("proof.json") == 2  # and none of what happened outside of Sync Desk
    assert "proof.json" not in history(opened(visit, "L1", email="michael.tan@example.org"))


def test_the_search_of_the_audit_page_finds_records_and_leads_to_their_history(
    visit: Visit, desk: Desk
) -> None:
    policy = Policy(removal=Removal.DELETE)
    administration.set_policy(desk.organization, ANA, resources.by_name("locations"), policy)
    desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic"), row("L2", "Harbour")])
    desk.sync("locations", locations=[LABELS, row("L1", "Mill Clinic")])
    page = visit("audit", "michael.tan@example.org")
    for search, label in (("mill", "Mill Clinic, L1 :gray[Locations]"), ("L2", "(gone)")):
        page.text_input(key="audit-search").set_value(search).run()
        (link,) = (
            found.proto for found in healthy(page).get("page_link") if label in found.proto.label
        )
        assert "record=locations" in link.query_string
    page.text_input(key="audit-search").set_value("nowhere to be found").run()
    assert not [one for one in page.get("page_link") if ":gray[Locations" in one.proto.label]


def test_cells_of_a_record_are_shown_as_they_are(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=[LABELS, row("L1", "<b>x</b> **y**")])
    assert "&lt;b&gt;x&lt;/b&gt; **y**" in history(opened(visit, "L1"))


def test_an_undo_is_told_as_such(visit: Visit, desk: Desk, changed: Run) -> None:
    undo = desk.work(syncs.undo(desk.organization, changed.id, ANA, "test"))
    desk.work(syncs.confirm(desk.organization, undo.id, ANA, "test"))
    assert f"<b>Put back by the undo of run {changed.id}</b>" in history(opened(visit, "L1"))
