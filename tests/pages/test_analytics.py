import re
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.analytics.definitions import DEFINITIONS
from sync_core.demo import history, organization
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import people
from sync_core.ui.parts.words import literal
from tests.support.desk import ANA, Desk
from tests.support.locations import BROKEN, LOCATIONS
from tests.support.pages import Visit, column, healthy, rows

MICHAEL = "michael.tan@example.org"
VIEWS = ("Results", "Speed", "Failures", "Week", "People")


def figures(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def texts(page: AppTest) -> str:
    return "\n".join(text.value for text in (*page.main.markdown, *page.main.caption))


def look(visit: Visit, **address: str) -> AppTest:
    page = visit("overview", MICHAEL)
    for name, value in address.items():
        page.query_params[name] = value
    return healthy(page.switch_page(str(ROOT / "pages" / "analytics.py")).run())


@pytest.mark.parametrize("view", VIEWS)
def test_an_organization_without_runs_is_told_so_everywhere(visit: Visit, view: str) -> None:
    page = look(visit, view=view)
    assert figures(page)["Runs"] == "0"
    assert figures(page)["Run success rate"] == figures(page)["Median duration"] == "–"  # noqa: RUF001
    assert "Nothing in this period." in texts(page)
    assert "made-up" not in texts(page)


def test_the_key_figures_are_those_of_the_runs(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("locations", locations=BROKEN)
    desk.sync("admins")  # there is no file
    told = figures(look(visit))
    assert told["Runs"] == "3"
    assert told["Run success rate"] == "33.3%"
    assert told["Row success rate"] == "66.7%"
    assert told["Failed runs"] == "1"
    assert told["Rows applied"] == "2"
    assert told["Time to recover"] == "–"  # noqa: RUF001
    page = look(visit)
    assert "1 not recovered yet" in texts(page)
    assert "none before" in page.metric[0].proto.delta_description


def test_the_filters_choose_the_runs(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("admins")
    page = look(visit)
    page.button_group(key="resource").set_value(["locations"]).run()
    assert figures(healthy(page))["Runs"] == "1"
    page.button_group(key="period").set_value(["24 hours"]).run()
    assert figures(healthy(page))["Runs"] == "1"
    page.button_group(key="period").set_value(["Custom"]).run()
    assert figures(healthy(page))["Runs"] == "1"
    assert "Times are in" in texts(page)


def test_an_address_chooses_period_resource_and_view(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("admins")
    page = look(visit, period="7 days", resource="Locations", view="People")
    assert figures(page)["Runs"] == "1"
    assert "Compared with the 7 days before." in page.metric[0].help
    assert "**Teams in words**" in texts(page)


def test_a_reason_leads_to_its_rows_and_to_their_file(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=BROKEN)
    page = look(visit, view="Failures")
    page.selectbox(key="code").select("bad_phone").run()
    assert "1 row in 1 run" in texts(healthy(page))
    (failed,) = rows(page, "Failed rows")
    assert (failed["Value"], failed["Reason"]) == ("not a phone", "Invalid phone format")
    assert any("Download these rows" in html.proto.body for html in page.get("html"))


def test_a_row_that_keeps_failing_has_the_reason_of_its_run_and_opens_there(
    visit: Visit, desk: Desk
) -> None:
    run = [desk.sync("locations", locations=BROKEN) for _ in range(3)][-1]
    page = look(visit, view="Failures")
    (again,) = rows(page, "Rows that fail again and again")
    assert again["Latest reason"] == "Phone: Invalid phone format"
    told = "".join(html.proto.body for html in visit("runs", id=run.id).get("html"))
    assert again["Latest reason"] in told
    opens = [re.search(rf'data-opens="{run.id}:(.*?)"', h.proto.body) for h in page.get("html")]
    (failure,) = (found[1] for found in opens if found)
    opened = visit("runs", id=run.id, failure=failure)
    assert column(opened, "Value", "What is wrong") == ["not a phone"]


def test_the_reasons_of_runs_lead_to_the_runs(visit: Visit, desk: Desk) -> None:
    run = desk.sync("admins")
    page = look(visit, view="Failures", failed="Runs")
    page.selectbox(key="code").select("no_file_of_table").run()
    (failed,) = rows(healthy(page), "Failed runs")
    assert failed["Run"] == f"{run.id}"


def test_the_resource_that_fails_most_leads_to_its_failed_runs(visit: Visit, desk: Desk) -> None:
    failed_run = desk.sync("admins")
    desk.sync("locations", locations=LOCATIONS)
    page = look(visit, view="Failures")
    assert "**Which resource fails most**" in texts(page)
    assert "Clinic admins failed most: 1 of 1 run." in texts(page)
    page.selectbox(key="failing").select("admins").run()
    (failed,) = rows(healthy(page), "Failed runs")
    assert failed["Run"] == f"{failed_run.id}"
    page = look(visit, view="Failures", failing="Clinic admins")
    assert page.selectbox(key="failing").value == "admins"


def test_figures_of_few_runs_say_so_in_plain_words(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("admins")
    page = look(visit)
    assert ":material/scatter_plot: only 2 runs" in texts(page)
    shapes = [one.proto.body for one in page.get("html") if 'class="sparkline"' in one.proto.body]
    assert any('aria-label="Runs: By day, between 0 and 2."' in shape for shape in shapes)
    assert "By day, between 0 and 2." in page.metric[0].help


def test_people_and_teams_are_told_in_words(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    page = look(visit, view="People")
    assert "**Ana Ruiz** from IT started 1 run, only of Locations; 100% succeeded" in texts(page)
    assert "**IT** (1 person) started 1 run" in texts(page)


def test_made_up_runs_are_marked_and_can_be_left_out(visit: Visit, desk: Desk) -> None:
    with db.everywhere() as connection:
        made_up = history.load(connection, desk.organization)
    desk.sync("locations", locations=LOCATIONS)
    page = look(visit, period="90 days")
    assert figures(page)["Runs"] == str(made_up + 1)
    assert "Includes made-up runs of the demo" in texts(page)
    page.button_group(key="trigger").set_value(["test"]).run()
    assert figures(healthy(page))["Runs"] == "1"
    assert "made-up" not in texts(page)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_the_demo_is_alive(visit: Visit, desk: Desk, view: str) -> None:
    with db.everywhere() as connection:
        history.load(connection, desk.organization)
    page = look(visit, view=view, period="90 days")
    assert "Nothing in this period." not in texts(page)
    for period in ("24 hours", "7 days"):
        healthy(look(visit, view=view, period=period))


def test_a_manager_of_two_organizations_sees_both_together(visit: Visit, desk: Desk) -> None:
    desk.sync("locations", locations=LOCATIONS)
    name = f"{desk.organization.slug[:20]}-b"
    with db.everywhere() as connection:
        other = organizations.add(connection, name, "Harbor Clinics")
        people.add(connection, other.id, organization.PEOPLE[2])
    page = look(visit)
    assert figures(page)["Runs"] == "1"
    page.button_group(key="organizations").set_value([other.slug]).run()
    assert figures(healthy(page))["Runs"] == "0"
    page.button_group(key="organizations").set_value([other.slug, desk.organization.slug]).run()
    assert figures(healthy(page))["Runs"] == "1"


def test_nobody_chooses_an_organization_in_which_they_may_not_analyze(
    visit: Visit, desk: Desk
) -> None:
    with db.everywhere() as connection:
        name = f"{desk.organization.slug[:20]}-c"
        other = organizations.add(connection, name, f"Not for him {name}")
        people.add(connection, other.id, replace(organization.PEOPLE[2], role=Role.ANALYST))
        third = organizations.add(connection, f"{name}-d", f"For him {name}")
        people.add(connection, third.id, organization.PEOPLE[2])
    offered = look(visit, organizations=other.name).button_group(key="organizations")
    shown = [option.content for option in offered.proto.options]
    assert literal(third.name) in shown
    assert literal(other.name) not in shown
    assert offered.value == []


def test_the_definitions_stand_on_the_page(visit: Visit) -> None:
    told = texts(look(visit))
    for term, meaning in DEFINITIONS.items():
        assert f"**{term}**: {meaning}" in told


def test_the_success_of_a_resource_is_told_beside_the_runs_that_it_is_of(
    visit: Visit, desk: Desk
) -> None:
    desk.sync("locations", locations=LOCATIONS)
    desk.sync("locations", locations=BROKEN)
    syncs.cancel(desk.organization, desk.start("locations").id, ANA)
    page = look(visit, view="Results")
    (told,) = rows(page, "Runs, success and durations")
    assert (told["Runs"], told["Counted"], told["Synced"]) == ("3", "2", "1")
    assert told["Success"].startswith("50%")
    assert "are not counted" in "".join(text.value for text in page.caption)
