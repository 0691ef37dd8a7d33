import psycopg
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation import db
from sync_core.organizations import Organization, people, policies
from sync_core.organizations.policies import Policy
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, links


def texts(page: AppTest) -> str:
    return "\n".join(text.value for text in page.main.markdown)


def test_an_empty_organization_shows_a_card_for_each_resource(visit: Visit) -> None:
    page = visit()
    for resource in CATALOGUE.values():
        assert f"**{resource.title}**" in links(page)
    assert texts(page).count("Its first sync fills this card.") == len(CATALOGUE)
    assert "no source is set" in links(page)


def test_a_run_is_on_its_card_and_in_the_feed_in_words(visit: Visit, desk: Desk) -> None:
    run = desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    page = visit()
    assert run.message.split(":")[0] in texts(page)
    assert "**Ana Ruiz** from IT" in texts(page)
    assert " admins" in texts(page)


def test_what_failed_needs_a_person(visit: Visit, desk: Desk) -> None:
    desk.sync("locations")
    page = visit()
    assert "**Needs a person**" in texts(page)
    assert "**Location Management**: There is neither" in links(page)


def test_a_run_on_its_way_is_in_the_sidebar_of_every_page(visit: Visit, desk: Desk) -> None:
    desk.start("locations")
    for name in ("overview", "therapists", "help"):
        page = visit(name)
        assert "Locations" in [link.value for link in page.sidebar.page_link]


def test_a_visitor_of_two_organizations_changes_between_them(
    visit: Visit, organization: Organization
) -> None:
    with db.begin() as connection:
        other = organizations.add(connection, f"{organization.slug[:20]}-b", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    page = visit()
    assert page.selectbox(key="organization").value == organization.slug
    page.selectbox(key="organization").select(other.slug).run()
    assert page.selectbox(key="organization").value == other.slug
    assert page.query_params["org"] == other.slug
    page.query_params["org"] = "no-organization-of-mine"
    page.run()
    assert not page.exception


def test_data_that_are_older_than_promised_need_a_person(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    assert "Overdue" not in texts(visit())
    with db.begin() as connection:
        policies.put(connection, desk.organization, "admins", Policy(fresh_hours=1))
    database.execute("set session_replication_role = replica")  # past the guard of ended runs
    earlier = "finished_at = finished_at - interval '61 minutes'"
    database.execute(f"update runs set {earlier} where id = %s", [run.id])
    page = visit()
    assert "Overdue" in texts(page)
    assert "should be under 1 hour" in links(page)


def test_what_somebody_did_again_and_again_is_one_line_of_the_feed(
    visit: Visit, desk: Desk
) -> None:
    for _ in range(3):
        desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    told = [text.value for text in visit().markdown if "Ana Ruiz" in text.value]
    assert [text for text in told if "synced admins" in text] == [
        text for text in told if "3 times" in text
    ]


def test_the_figures_at_the_top_sum_the_resources_up(visit: Visit, desk: Desk) -> None:
    desk.sync(
        "admins", admins=[("Email", "Name", "Role", "Team", "Active"), ("x", "X", "", "", "")]
    )
    desk.start("locations")
    told = next(str(html.proto) for html in visit().get("html") if "summary" in str(html.proto))
    known = len(CATALOGUE)
    assert f"<b>1 of {known}</b>" in told
    assert f"{known - 1} not, or not yet" in told
    assert "<span>Locations</span>" in told
    assert "in 1 resource" in told


def test_a_long_message_is_shortened_on_the_card(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations")
    database.execute("set session_replication_role = replica")  # past the guard of ended runs
    database.execute("update runs set message = repeat('much ', 400) where id = %s", [run.id])
    assert max(map(len, [*texts(visit()).splitlines(), *links(visit()).splitlines()])) < 300
