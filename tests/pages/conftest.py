"""A page as a person of an organization sees it, without a browser."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core.demo import organization as demo
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.organizations import Organization, people
from sync_core.ui import SCRIPT
from tests.support import sign_ins
from tests.support.pages import Visit, healthy


@pytest.fixture
def visit(own_redis: None, organization: Organization) -> Visit:
    assert own_redis is None  # else a worker that another test has just ended seems to be alive
    with db.everywhere() as connection:
        for person in demo.PEOPLE:
            people.add(connection, organization.id, person)

    def open_page(
        name: str = "overview", email: str = "ana.ruiz@example.org", **address: object
    ) -> AppTest:
        st.cache_resource.clear()
        page = AppTest.from_file(SCRIPT, default_timeout=60)
        page.user = sign_ins.claims(email)
        page.query_params["org"] = organization.slug
        page.run()
        if name != "overview":
            page.switch_page(str(ROOT / "pages" / f"{name}.py"))
            for parameter, value in address.items():
                page.query_params[parameter] = str(value)
            page.run()
        return healthy(page)

    return open_page
