import re
from collections.abc import Callable

import psycopg
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.audit import hash_chain
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.ui import SCRIPT
from tests.support import sign_ins
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.pages import Visit, column, healthy, links

MICHAEL = "michael.tan@example.org"


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.error]
    return "\n".join([*(str(one.value) for one in shown), *(e.proto.title for e in page.error)])


def events(page: AppTest) -> list[str]:
    return [re.sub("^[a-z_]+", "", event) for event in column(page, "Event")]


@pytest.fixture
def audit(visit: Visit, desk: Desk) -> Callable[..., AppTest]:
    """Open the audit page, with parameters of its address."""

    def open_page(email: str = MICHAEL, **address: str) -> AppTest:
        visit("overview", email)
        st.cache_resource.clear()
        page = AppTest.from_file(SCRIPT, default_timeout=60)
        page.user = sign_ins.claims(email)
        page.run()
        page.switch_page(str(ROOT / "pages" / "audit.py"))
        page.query_params["org"] = desk.organization.slug
        for name, value in address.items():
            page.query_params[name] = value
        return healthy(page.run())

    return open_page


def test_the_audit_lists_runs_and_actions(audit: Callable[..., AppTest], desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])
    page = audit()
    assert {"Partly synced", "Started a sync"} <= set(events(page))
    assert "Processed 2 locations" in " ".join(column(page, "Details"))


def test_the_address_filters_the_audit_and_the_widgets_show_it(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    page = audit(status="completed", search="processed")
    assert events(page) == ["Synced"]
    assert page.text_input(key="audit-search").value == "processed"
    assert page.multiselect(key="audit-status").value == ["completed"]
    assert {
        "Synced or undo done",
        "Partly synced or undo done in part",
        "Syncing, previewing or undoing",
        "Failed",
    } <= set(page.multiselect(key="audit-status").options)
    page.multiselect(key="audit-status").set_value(["failed"]).run()
    assert page.query_params["status"] in ("failed", ["failed"])
    assert "Nothing matches" in texts(page)
    page.button(key="clear-audit").click().run()
    assert "Synced" in events(page)
    assert not {"status", "search"} & set(page.query_params)


def test_an_own_period_in_the_address_holds(audit: Callable[..., AppTest], desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    then = {"since": "2020-01-01T00:00:00+00:00", "until": "2020-02-01T00:00:00+00:00"}
    page = audit(**then)
    assert page.selectbox(key="audit-days").value == "own"
    assert "Nothing matches" in texts(page)
    page.selectbox(key="audit-days").select("7").run()
    assert "Synced" in events(page)
    assert "since" not in page.query_params


def test_an_action_in_the_address_opens(
    audit: Callable[..., AppTest], desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    found = database.execute("select id from actions where run_id = %s", [run.id]).fetchone()
    assert found
    (action,) = found
    page = audit(**{"action-id": str(action)})
    assert f"action {action}" in texts(page)
    assert f"Run {run.id}" in [link.value for link in page.page_link]


def test_an_action_that_names_two_runs_says_which_does_what(
    audit: Callable[..., AppTest], desk: Desk, database: psycopg.Connection
) -> None:
    first = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])
    query = "select id from actions where run_id = %s"
    for ask, told, fact in (
        (syncs.retry, "syncs the rows that failed in run", "Failed in run"),
        (syncs.undo, "undoes run", "Run to undo"),
    ):
        run = desk.work(ask(desk.organization, first.id, ANA, "test"))
        ((action,),) = database.execute(query, [run.id]).fetchall()
        page = audit(**{"action-id": str(action)})
        assert f"Run {run.id} {told} {first.id}" in [link.value for link in page.page_link]
        (facts,) = page.table
        named = [str(part) for part in facts.value.to_numpy(na_value="").ravel()]
        assert {fact, str(first.id)} <= {*named, *map(str, facts.value.index)}


def test_a_search_that_finds_a_record_and_no_event_says_so(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    desk.sync("locations", locations=[HEADER, row("LOC-0004")])
    page = audit(search="LOC-0004")
    assert any("LOC-0004" in link.value.replace("\\", "") for link in page.page_link)
    assert "No events match." in texts(page)
    assert "Nothing matches" not in texts(page)
    assert "Nothing matches." in texts(audit(search="LOC-0005"))


def test_the_page_says_through_when_the_trail_is_verified(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    assert "Not verified yet" in texts(audit())
    with db.everywhere() as connection:
        hash_chain.keep(
            connection, desk.organization, hash_chain.verify(connection, desk.organization)
        )
    page = texts(audit())
    assert "Verified through" in page
    assert "is still as it was first written" in page
    assert "links" not in page


def test_verify_now_checks_the_trail_and_tells_what_it_found(
    audit: Callable[..., AppTest], desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    page = healthy(audit().button(key="verify-now").click().run())
    assert "nothing was changed" in page.success[0].value
    assert "Verified through" in texts(page)
    again = page.button(key="verify-now").click().run()
    assert "less than 30 seconds ago" in texts(again)
    database.execute("set session_replication_role = replica")
    database.execute("update verifications set at = at - interval '1 minute'")
    database.execute("update runs set message = 'rosy' where id = %s", [run.id])
    broken = page.button(key="verify-now").click().run()
    assert "The audit trail is broken." in texts(broken)
    assert not broken.success


def test_a_broken_trail_shows_in_red_and_needs_a_person(
    audit: Callable[..., AppTest], visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    database.execute("set session_replication_role = replica")
    database.execute("update runs set message = 'rosy' where id = %s", [run.id])
    with db.everywhere() as connection:
        hash_chain.keep(
            connection, desk.organization, hash_chain.verify(connection, desk.organization)
        )
    page = audit()
    assert "The audit trail is broken." in texts(page)
    assert f"run {run.id} is not as it was" in texts(page).replace("\\", "")
    assert "the trail is broken" in links(visit("overview", MICHAEL))
    assert "the trail is broken" not in links(visit("overview", "sarah.lim@example.org"))


def test_only_organizations_that_somebody_may_audit_are_offered(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    with db.everywhere() as connection:
        slug = desk.organization.slug
        other = organizations.add(connection, f"{slug}-2", f"Not his {slug}")
        people.add(connection, other.id, Person("Michael Tan", MICHAEL, Role.VIEWER))
        third = organizations.add(connection, f"{slug}-3", "Bay Clinics")
        people.add(connection, third.id, Person("Michael Tan", MICHAEL, Role.MANAGER))
    page = audit(organizations=f"{other.slug},{third.slug}")
    field = page.multiselect(key="audit-organizations")
    assert set(field.options) >= {"Bay Clinics", "Northwind Care"}
    assert other.name not in field.options
    assert field.value == [third.slug]
