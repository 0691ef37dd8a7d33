"""A page as a person of an organization sees it, without a browser."""

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core.demo import organization as demo
from sync_core.foundation import db, redis_clients
from sync_core.foundation.settings import ROOT
from sync_core.organizations import Organization, people
from sync_core.ui import SCRIPT

Visit = Callable[..., AppTest]


def healthy(page: AppTest) -> AppTest:
    assert not page.exception
    assert [alert.value for alert in page.error if "unexpected" in alert.proto.title] == []
    return page


@pytest.fixture
def visit(organization: Organization) -> Visit:
    with db.begin() as connection:
        for person in demo.PEOPLE:
            people.add(connection, organization.id, person)
    # Else a worker that another test has just ended seems to be alive.
    redis_clients.client().flushall()

    def open_page(name: str = "overview", email: str = "ana.ruiz@example.org") -> AppTest:
        st.cache_resource.clear()
        page = AppTest.from_file(SCRIPT, default_timeout=20)
        page.user = {"is_logged_in": True, "email": email}
        page.query_params["org"] = organization.slug
        page.run()
        if name != "overview":
            page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
        return healthy(page)

    return open_page
