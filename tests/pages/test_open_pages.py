"""A page that stays open while its visitor is removed, may less, or signs out elsewhere."""

import ast
import uuid
from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import runs
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import administration
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.pages import Visit


@pytest.fixture
def sarah(organization: Organization) -> Person:
    """Return an analyst of this organization alone."""
    found = Person("Sarah Lim", f"sarah.{uuid.uuid4().hex[:12]}@example.org", Role.ANALYST)
    with db.everywhere() as connection:
        people.add(connection, organization.id, found)
    return found


@pytest.fixture
def opened(visit: Visit, desk: Desk, sarah: Person, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Return a page that was drawn for Sarah, two seconds ago by now."""
    desk.write("locations", [HEADER, row("L1")])
    desk.set_source("locations")
    page = visit("locations", sarah.email)
    monkeypatch.setattr(people, "FRESH_SECONDS", 0)
    st.cache_resource.clear()
    return page


def started(desk: Desk) -> bool:
    with db.everywhere() as connection:
        return bool(runs.latest(connection, desk.organization.id))


def test_a_page_of_somebody_who_was_removed_starts_nothing_and_shows_the_sign_in(
    opened: AppTest, desk: Desk, sarah: Person
) -> None:
    administration.remove_person(desk.organization, ANA, sarah.email)
    opened.button(key="sync-locations").click().run()
    assert not started(desk)
    assert [title.value for title in opened.title] == ["Sign in to Sync Desk"]


def test_a_page_of_somebody_who_may_less_by_now_starts_nothing(
    opened: AppTest, desk: Desk, sarah: Person
) -> None:
    with db.everywhere() as connection:
        people.add(connection, desk.organization.id, replace(sarah, role=Role.VIEWER))
    opened.button(key="sync-locations").click().run()
    assert not started(desk)
    assert "sync-locations" not in {button.key for button in opened.button}


def test_signing_out_ends_the_page_that_is_open_in_another_tab(
    visit: Visit, desk: Desk, sarah: Person
) -> None:
    page = visit("locations", sarah.email)
    twin = AppTest.from_file(page._script_path, default_timeout=60)  # noqa: SLF001 - of Streamlit
    twin.user = page.user
    twin.query_params["org"] = desk.organization.slug
    assert [title.value for title in twin.run().title] == ["Overview"]
    twin.button(key="sign-out").click().run()
    page.run()
    assert [title.value for title in page.title] == ["Sign in to Sync Desk"]


def test_what_is_drawn_again_without_the_rest_of_the_page_asks_who_its_visitor_is() -> None:
    """So that no part of an open page, and no dialog, goes on for somebody who is out."""
    allowed = {"visitor.py", "error_box.py"}  # which asks, and which looks for the database alone
    parts = {"fragment", "dialog", "download_button"}
    found = {
        file.name
        for file in (ROOT / "sync_core" / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in parts
        if isinstance(node.value, ast.Name) and node.value.id == "st"
    }
    assert found == allowed
