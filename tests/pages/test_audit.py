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
from sync_core.organizations import people
from sync_core.organizations.people import Person
from sync_core.ui import SCRIPT
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.pages import Visit, healthy, links

MICHAEL = "michael.tan@example.org"


def texts(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.error]
    return "\n".join([*(str(one.value) for one in shown), *(e.proto.title for e in page.error)])


def events(page: AppTest) -> list[str]:
    return [words[0] for words in page.dataframe[0].value["Event"]]


@pytest.fixture
def audit(visit: Visit, desk: Desk) -> Callable[..., AppTest]:
    """Open the audit page, with parameters of its address."""

    def open_page(email: str = MICHAEL, **address: str) -> AppTest:
        visit("overview", email)
        st.cache_resource.clear()
        page = AppTest.from_file(SCRIPT, default_timeout=20)
        page.user = {"is_logged_in": True, "email": email}
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
    assert {"Synced with failures", "Started a sync"} <= set(events(page))
    assert "Processed 2 locations" in " ".join(page.dataframe[0].value["Details"])


def test_the_address_filters_the_audit_and_the_widgets_show_it(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    page = audit(status="completed", search="processed")
    assert events(page) == ["Synced"]
    assert page.text_input(key="audit-search").value == "processed"
    assert page.multiselect(key="audit-status").value == ["completed"]
    page.multiselect(key="audit-status").set_value(["failed"]).run()
    assert page.query_params["status"] in ("failed", ["failed"])
    assert "Nothing matches" in texts(page)


def test_an_own_period_in_the_address_holds(audit: Callable[..., AppTest], desk: Desk) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    then = {"since": "2020-01-01T00:00:00+00:00", "until": "2020-02-01T00:00:00+00:00"}
    page = audit(**then)
    assert page.selectbox(key="audit-days").value == "own"
    assert "Nothing matches" in texts(page)
    page.selectbox(key="audit-days").select("7").run()
    assert "Synced" in events(page)
    assert "since" not in page.query_params


def test_a_run_in_the_address_opens(audit: Callable[..., AppTest], desk: Desk) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1"), row("L2", Email="nobody")])
    page = audit(run=str(run.id))
    assert f"Run {run.id}" in texts(page)
    assert "Waited" in texts(page)
    assert re.search(r"[1-9]\d* bytes read\.", texts(page))
    assert {"Attempts", "Log"} <= {expander.label for expander in page.expander}


def test_a_run_of_another_organization_does_not_open(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    assert desk
    page = audit(run="999999999")
    assert "There is no run" in texts(page)


def test_the_page_says_through_when_the_trail_is_verified(
    audit: Callable[..., AppTest], desk: Desk
) -> None:
    desk.sync("locations", locations=[HEADER, row("L1")])
    assert "Not verified yet" in texts(audit())
    with db.begin() as connection:
        hash_chain.keep(
            connection, desk.organization, hash_chain.verify(connection, desk.organization)
        )
    page = texts(audit())
    assert "Verified through" in page
    assert "still stands as it was first written" in page
    assert "links" not in page


def test_a_broken_trail_shows_in_red_and_needs_a_person(
    audit: Callable[..., AppTest], visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations", locations=[HEADER, row("L1")])
    database.execute("set session_replication_role = replica")
    database.execute("update runs set message = 'rosy' where id = %s", [run.id])
    with db.begin() as connection:
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
    with db.begin() as connection:
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
