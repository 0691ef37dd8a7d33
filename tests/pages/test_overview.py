import psycopg
from streamlit.testing.v1 import AppTest

from sync_core import organizations, runs
from sync_core.catalogue.resources import CATALOGUE
from sync_core.demo import history
from sync_core.foundation import db
from sync_core.foundation.vocabulary import Removal
from sync_core.organizations import Organization, people, policies
from sync_core.organizations.policies import Guards, Policy
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


def test_made_up_runs_are_told_as_such_and_count_in_no_figure_of_now(
    visit: Visit, desk: Desk
) -> None:
    assert told_of_now(visit()).count("nothing was synced yet") == 2
    assert "made-up" not in captions(visit())
    with db.everywhere() as connection:
        history.load(connection, desk.organization)
    page = visit()
    assert told_of_now(page).count("only made-up runs so far") == 2
    assert "nothing was synced yet" not in told_of_now(page)
    assert "Includes made-up runs of the demo" in captions(page)
    desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    assert "Clinic admins, by Ana Ruiz" in told_of_now(visit())
    assert "only made-up runs so far" not in told_of_now(visit())


def told_of_now(page: AppTest) -> str:
    """Return what the figures say."""
    bodies = (str(element.proto.body) for element in page.get("html"))
    return next(body for body in bodies if 'class="summary"' in body)


def captions(page: AppTest) -> str:
    return "\n".join(text.value for text in page.main.caption)


def test_a_run_is_on_its_card_and_in_the_feed_in_words(visit: Visit, desk: Desk) -> None:
    run = desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    page = visit()
    assert run.message.split(":")[0] in texts(page)
    (line,) = [link for link in page.get("page_link") if "**Ana Ruiz** (IT)" in link.proto.label]
    assert "synced clinic admins" in line.proto.label
    assert f"id={run.id}" in line.proto.query_string


def test_a_card_starts_a_sync_and_the_first_steps_go_with_the_first_run(
    visit: Visit, desk: Desk
) -> None:
    desk.write("admins", [("Email", "Name", "Role", "Team", "Active")])
    desk.set_source("admins")
    page = visit()
    assert "**Three steps to your first sync**" in texts(page)
    assert "Open sources" in links(page)
    assert "Check a source" in links(page)
    page.button(key="sync-admins").click().run()
    assert not page.exception
    with db.everywhere() as connection:
        (run,) = runs.history(connection, desk.organization.id)
    assert (run.resource, run.active) == ("admins", True)
    page = visit()
    assert page.button(key="sync-admins").disabled
    assert "Three steps" not in texts(page)


def test_the_third_step_syncs_all_that_has_a_source(visit: Visit, desk: Desk) -> None:
    page = visit()
    page.button(key="start-first-sync").click().run()
    assert any("No resource has a source" in error.proto.title for error in page.error)
    desk.write("admins", [("Email", "Name", "Role", "Team", "Active")])
    desk.set_source("admins")
    page.button(key="start-first-sync").click().run()
    with db.everywhere() as connection:
        assert [run.resource for run in runs.history(connection, desk.organization.id)] == [
            "admins"
        ]
    assert "start-first-sync" not in {button.key for button in visit().button}


def test_who_may_not_sync_is_offered_no_sync(visit: Visit) -> None:
    page = visit("overview", "vera.olsen@example.org")
    assert not [button.key for button in page.main.button if str(button.key).startswith("sync-")]
    assert "starts the first sync" in "".join(text.value for text in page.main.caption)


def test_many_records_that_went_need_attention(visit: Visit, desk: Desk) -> None:
    careless = Policy(removal=Removal.DELETE, guards=Guards(removals=None))
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "admins", careless)
    head = ("Email", "Name", "Role", "Team", "Active")
    rows = [(f"p{n}@example.org", f"Person {n}", "Admin", "", "") for n in range(60)]
    desk.sync("admins", admins=[head, *rows])
    desk.sync("admins", admins=[head, *rows[:35]])
    assert "25 records disappeared in the last sync" in links(visit())


def test_what_failed_needs_attention(visit: Visit, desk: Desk) -> None:
    desk.sync("locations")
    page = visit()
    assert "**Needs attention**" in texts(page)
    assert "**Locations**: There is neither" in links(page)


def test_a_run_on_its_way_is_in_the_sidebar_of_every_page(visit: Visit, desk: Desk) -> None:
    desk.start("locations")
    for name in ("overview", "therapists", "help"):
        page = visit(name)
        told = [link.value for link in page.sidebar.page_link]
        assert "Locations :blue-badge[0%]" in told


def test_a_visitor_of_two_organizations_changes_between_them(
    visit: Visit, organization: Organization
) -> None:
    with db.everywhere() as connection:
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
    with db.everywhere() as connection:
        policies.put(connection, desk.organization, "admins", Policy(fresh_hours=1))
    database.execute("set session_replication_role = replica")  # past the guard of ended runs
    earlier = "finished_at = finished_at - interval '61 minutes'"
    database.execute(f"update runs set {earlier} where id = %s", [run.id])
    page = visit()
    assert "Overdue" in texts(page)
    assert "the max age is 1 hour" in links(page)


def test_what_somebody_did_again_and_again_is_one_line_of_the_feed(
    visit: Visit, desk: Desk
) -> None:
    for _ in range(3):
        desk.sync("admins", admins=[("Email", "Name", "Role", "Team", "Active")])
    told = [link.proto.label for link in visit().get("page_link")]
    assert any("synced clinic admins" in text for text in told)
    assert [text for text in told if "synced clinic admins" in text] == [
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
    assert "not Therapists and 3 more" in told
    assert "<span>1 waiting for a worker</span>" in told
    assert "in 1 resource" in told


def test_a_long_message_is_shortened_on_the_card(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    run = desk.sync("locations")
    database.execute("set session_replication_role = replica")  # past the guard of ended runs
    database.execute("update runs set message = repeat('much ', 400) where id = %s", [run.id])
    assert max(map(len, [*texts(visit()).splitlines(), *links(visit()).splitlines()])) < 300
