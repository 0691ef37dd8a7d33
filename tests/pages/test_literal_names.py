"""Names of people and organizations are shown as they were written, whatever they would draw."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.foundation import db, tables
from sync_core.foundation.settings import ROOT
from sync_core.operations import syncs
from sync_core.organizations import Organization, people
from tests.support.desk import ANA, Desk
from tests.support.locations import HEADER, row
from tests.support.pages import Visit, healthy

DRAWS = "Z ![x](https://example.org/x.png) **b** :red[c] <img src=y onerror=z>"
ZED = replace(ANA, name=DRAWS, team=DRAWS)
SHOWN_AS_TEXT = {"arrow_data_frame", "dataframe", "selectbox", "multiselect", "text_input", "code"}


@pytest.fixture
def named(visit: Visit, organization: Organization, desk: Desk) -> Visit:
    """Let two organizations be called so, and the people who are in them and ask for syncs."""
    renamed = sa.update(tables.organizations).where(tables.organizations.c.id == organization.id)
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{organization.slug[:20]}-x", DRAWS)
        for one in (organization.id, other.id):
            people.add(connection, one, ZED)
        connection.execute(renamed.values(name=DRAWS))
    desk.write("locations", [HEADER, row("L1"), row("L2", Email="nobody")])
    desk.set_source("locations")
    desk.work(syncs.start(organization, "locations", ZED, "test"))
    return visit


def drawn(page: AppTest) -> list[str]:
    """Return the elements that would draw what a name says."""
    found = []
    for node in page._tree:  # noqa: SLF001 - all elements, also those without an accessor
        draws = "<img src=y" if node.type == "html" else "![x]("
        if draws in str(getattr(node, "proto", "")) and node.type not in SHOWN_AS_TEXT:
            found.append(f"{node.type}: {node.proto}")
    return found


def test_no_page_draws_what_a_name_says(named: Visit) -> None:
    page = named("overview")
    assert "Z " in str(page.sidebar)
    for file in sorted((ROOT / "pages").glob("*.py")):
        shown = healthy(page.switch_page(str(file)).run())
        assert drawn(shown) == [], file.name
