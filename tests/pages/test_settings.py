from dataclasses import replace

import psycopg
import streamlit as st
from streamlit.testing.v1 import AppTest

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import ActionKind, Removal
from sync_core.operations import administration
from sync_core.organizations import Organization, people, policies, source_settings, tokens
from sync_core.organizations.policies import Policy
from sync_core.ui.frame import visitor
from sync_core.ui.parts.words import ROLES, literal
from tests.pages.test_tabs import LABELS, row
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit, column, rows

SARAH, MICHAEL = "sarah.lim@example.org", "michael.tan@example.org"
SHEET = "1AbCdEfGhIjKlMnOpQrStUvWxYz"


def open_tab(visit: Visit, tab: str) -> AppTest:
    page = visit("settings")
    page.session_state["settings-tab"] = tab
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str, index: int = 0) -> AppTest:
    [button for button in page.button if button.label == label][index].click()
    page.run()
    assert not page.exception
    return page


def written_down(database: psycopg.Connection, organization: Organization) -> list[str]:
    query = (
        "select detail->>'what' from actions where organization_id = %s"
        " and kind like 'changed %%' order by id"
    )
    return [row[0] for row in database.execute(query, [organization.id])]


def roles(organization: Organization) -> dict[str, str]:
    with db.everywhere() as connection:
        return {p.email: p.role for p in people.everyone(connection, organization.id)}


def test_what_is_decided_for_a_resource_is_kept_shown_and_written_down(
    visit: Visit, organization: Organization, database: psycopg.Connection
) -> None:
    page = open_tab(visit, "Resources")
    page.number_input(key="hours-locations").set_value(6)
    page.number_input(key="limit-locations").set_value(90)
    page.selectbox(key="removal-locations").set_value(Removal.DEACTIVATE)
    press(page, "Save", 1)
    with db.everywhere() as connection:
        kept = policies.of(connection, organization.id)["locations"]
    assert kept == Policy(6, Removal.DEACTIVATE, 90)
    what = "locations: fresh for 6 h, removed rows: deactivate, time limit: 90 min"
    assert written_down(database, organization) == [what]
    again = open_tab(visit, "Resources")
    assert again.number_input(key="limit-locations").value == 90
    overview = visit("overview")
    assert any("changed locations" in text.value.replace("\\", "") for text in overview.markdown)


def test_what_deletes_records_is_asked_about_and_can_be_undone(
    visit: Visit, organization: Organization
) -> None:
    page = open_tab(visit, "Resources")
    page.selectbox(key="removal-locations").set_value(Removal.DELETE)
    press(page, "Save", 1)
    assert "**deleted from the table**" in "".join(text.value for text in page.markdown)
    assert removal(organization) is None  # nobody has said yes yet
    page.button(key="make-change").click().run()
    assert removal(organization) == Removal.DELETE
    page.button(key="undo-change").click().run()
    assert removal(organization) is None
    page.button(key="close-answer").click().run()
    assert not page.success


def removal(organization: Organization) -> Removal | None:
    with db.everywhere() as connection:
        return policies.of(connection, organization.id)["locations"].removal


def test_a_person_is_removed_after_a_question_by_name_and_invited_again_by_undo(
    visit: Visit, organization: Organization
) -> None:
    page = visit("settings", person=SARAH)
    press(page, "Remove Sarah Lim")
    assert SARAH in roles(organization)
    verb = page.button(key="make-change")
    assert verb.label == "Remove Sarah Lim"
    verb.click().run()
    assert SARAH not in roles(organization)
    assert "person" not in page.query_params  # nobody else is chosen
    assert not any(button.label.startswith("Remove") for button in page.button)
    page.button(key="undo-change").click().run()
    assert roles(organization)[SARAH] == "analyst"


def test_the_only_administrator_is_not_offered_to_be_removed(visit: Visit) -> None:
    page = visit("settings", person=ANA.email)
    assert any("Ana Ruiz is the only administrator" in caption.value for caption in page.caption)
    assert not any(button.label.startswith("Remove") for button in page.button)


def test_a_blank_time_limit_is_the_usual_one(visit: Visit) -> None:
    limit = open_tab(visit, "Resources").number_input(key="limit-locations")
    assert limit.value is None
    assert limit.placeholder == "60, as usual"
    assert settings.current().time_limits.of("locations") == 3600


def test_somebody_is_added_and_let_in(
    visit: Visit, organization: Organization, database: psycopg.Connection
) -> None:
    page = open_tab(visit, "People")
    press(page, "Add a person")
    page.text_input(key="name-new").set_value("Olive Park")
    page.text_input(key="email-new").set_value("olive.park@example.org")
    page.selectbox(key="role-new").set_value("analyst")
    page.text_input(key="team-new").set_value("Billing")
    press(page, "Invite")
    assert page.query_params["person"] == "olive.park@example.org"
    assert "**Invited, not accepted yet**" in [text.value for text in page.markdown]
    assert roles(organization)["olive.park@example.org"] == "analyst"
    olive = visit("overview", "olive.park@example.org")
    assert [title.value for title in olive.title] == ["Sign in to Sync Desk"]
    assert "**Northwind Care** invites you as Analyst." in [m.value for m in olive.markdown]
    press(olive, "Accept")
    assert olive.title[0].value == "Overview"
    page = visit("settings", person="olive.park@example.org")
    assert "**Invited, not accepted yet**" not in [text.value for text in page.markdown]
    assert written_down(database, organization) == [
        "invited Olive Park as an analyst, team Billing",
        "accepted the invitation as an analyst",
    ]
    feed = [text.value.replace("\\", "") for text in visit("overview").markdown]
    assert any("invited Olive Park as an analyst, team Billing" in line for line in feed)


def test_a_place_that_is_offered_to_a_member_of_another_organization_waits_in_the_sidebar(
    visit: Visit, organization: Organization
) -> None:
    page = visit("overview", "sarah.lim@example.org")
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{organization.slug[:20]}-of", "Harbor *Clinics*")
        people.offer(connection, other.id, replace(ANA, email="sarah.lim@example.org"))
    visitor.forget()
    page.run()
    assert "**Harbor \\*Clinics\\*** invites you as Administrator." in [
        text.value for text in page.sidebar.markdown
    ]
    page.button(key=f"decline-{other.slug}").click().run()
    assert not [text for text in page.sidebar.markdown if "offers you" in text.value]
    assert page.title[0].value == "Overview"


def test_a_mistake_is_answered_with_a_sentence(visit: Visit, organization: Organization) -> None:
    page = visit("settings", person="new")
    page.text_input(key="name-new").set_value("Olive Park")
    page.text_input(key="email-new").set_value("no address")
    press(page, "Invite")
    assert "is not an e-mail address" in page.error[0].proto.title.replace("\\", "")
    assert fields_and_errors(page) == ["Name", "E-mail", "error", "Role", "Team"]
    page.text_input(key="name-new").set_value("")
    press(page, "Invite")
    assert "The name is blank." in page.error[0].proto.title.replace("\\", "")
    assert fields_and_errors(page) == ["Name", "error", "E-mail", "Role", "Team"]
    assert len(roles(organization)) == 4


def fields_and_errors(page: AppTest) -> list[str]:
    """Return what stands in a form, in the order in which it is seen."""
    wanted = ("text_input", "selectbox", "error")
    found = [element for element in page.get("form")[0] if element.type in wanted]
    return [getattr(element, "label", "error") for element in found]


def test_an_administrator_sees_the_organizations_and_adds_none(visit: Visit) -> None:
    page = open_tab(visit, "Organizations")
    told = " ".join(caption.value for caption in page.caption)
    assert "The people who operate this program add others." in told
    assert not page.main.text_input
    assert not page.main.button


def test_a_source_is_set_on_its_page(
    visit: Visit, organization: Organization, database: psycopg.Connection
) -> None:
    page = visit("sources")
    page.text_input(key="words-locations").set_value("folder:clinics")
    press(page, "Save the source", 1)
    with db.everywhere() as connection:
        found = source_settings.read(connection, organization, resources.by_name("locations"))
    assert [setting.location for setting in found] == ["clinics"]
    assert written_down(database, organization) == ["the source of locations to folder clinics"]


def put(organization: Organization, name: str, words: str, tab: str | None = None) -> None:
    administration.set_source(organization, ANA, resources.by_name(name), words, tab=tab)


def test_a_source_is_changed_from_what_is_set(visit: Visit, organization: Organization) -> None:
    put(organization, "locations", "https://example.org/a.csv?key=1")
    put(organization, "services", "folder:clinics")
    page = visit("sources")
    assert page.text_input(key="words-locations").value == "https://example.org/a.csv?key=1"
    assert page.selectbox(key="table-services").value == ""
    assert page.text_input(key="words-services").value == "folder:clinics"
    put(organization, "services", f"packages={SHEET}", "Prices")
    page = visit("sources")
    assert page.selectbox(key="table-services").value == "brands"
    page.selectbox(key="table-services").set_value("packages").run()
    assert page.text_input(key="tab-of-services-packages").value == "Prices"
    press(page, "Save the source", 3)
    with db.everywhere() as connection:
        found = source_settings.read(connection, organization, resources.by_name("services"))
    assert [(one.location, one.tab) for one in found] == [("clinics", None), (SHEET, "Prices")]


def test_a_folder_is_told_with_the_file_of_each_table_and_no_path_of_the_machine(
    visit: Visit, organization: Organization
) -> None:
    put(organization, "services", "folder:from/clinics")
    page = visit("sources", SARAH)
    told = "\n".join(text.value for text in page.markdown).replace("\\", "")
    assert "Brands:] :material/folder: **brands.csv (or .xlsx)** in folder from/clinics" in told
    assert "**packages.csv (or .xlsx)** in folder from/clinics" in told
    about = "\n".join(caption.value for caption in page.caption)
    assert f"in this organization's own folder **{literal(organization.slug)}**" in about
    assert str(settings.current().folders) not in f"{told}{about}".replace("\\", "")
    viewer = visit("sources", "vera.olsen@example.org")
    assert not any("own folder" in caption.value for caption in viewer.caption)


def test_the_page_of_the_sources_says_where_there_is_none(visit: Visit, desk: Desk) -> None:
    desk.set_source("admins")
    told = "\n".join(text.value for text in visit("sources").markdown)
    assert told.count("no source is set") == len(resources.CATALOGUE) - 1
    st.cache_resource.clear()
    empty = "\n".join(text.value for text in visit("locations", SARAH).caption)
    assert "They have no source yet. An administrator sets it." in empty


def test_the_program_s_own_limits_are_told(visit: Visit) -> None:
    page = open_tab(visit, "Program")
    assert any("1 h" in str(table.value) for table in page.table)


def test_a_token_is_made_shown_once_and_revoked(
    visit: Visit, organization: Organization, database: psycopg.Connection
) -> None:
    page = open_tab(visit, "Tokens")
    page.text_input(key="token-name").set_value("Front desk")
    page.selectbox(key="token-role").set_value("analyst")
    page.multiselect(key="token-permissions").set_value(["read", "sync"])
    press(page, "Make")
    (secret,) = (code.value for code in page.code)
    with db.everywhere() as connection:
        assert tokens.use(connection, secret) is not None
    page.run()
    assert not page.code
    assert written_down(database, organization) == [
        "the tokens: added Front desk as analyst with only read, sync, for 90 days"
    ]
    press(page, "Make")
    assert "There is a token Front desk already" in page.error[0].proto.title.replace("\\", "")
    (listed,) = rows(page, "Tokens of")
    told = [listed[name] for name in ("Name", "May", "Made by")]
    assert told == ["Front desk", "Analyst: only read, sync", ANA.name]
    page.query_params["program"] = "Front desk"
    press(page.run(), "Revoke Front desk")
    with db.everywhere() as connection:
        assert tokens.use(connection, secret) is not None  # nobody has said yes yet
    page.button(key="make-change").click().run()
    with db.everywhere() as connection:
        assert tokens.use(connection, secret) is None
    assert "program" not in page.query_params


def test_a_question_that_is_answered_by_no_changes_nothing_and_leaves_the_drawer_open(
    visit: Visit, organization: Organization
) -> None:
    page = visit("settings", person=SARAH)
    press(page, "Remove Sarah Lim")
    press(page, "Keep it as it is")
    assert SARAH in roles(organization)
    assert page.text_input(key=f"name-{SARAH}").value == "Sarah Lim"
    assert "make-change" not in {button.key for button in page.button}


def test_people_are_sorted_by_a_header_and_the_address_keeps_it(visit: Visit) -> None:
    by_role = column(visit("settings", sort="-role"), "Role")
    assert by_role == sorted(by_role, key=list(ROLES.values()).index, reverse=True)
    names = column(visit("settings", sort="-name"), "Name")
    assert names == sorted(names, reverse=True)


def test_a_header_row_is_set_on_the_page_of_the_sources(
    visit: Visit, organization: Organization, database: psycopg.Connection
) -> None:
    page = visit("sources")
    page.text_input(key="words-locations").set_value("folder:clinics")
    page.number_input(key="header-row-locations").set_value(4)
    press(page, "Save the source", 1)
    with db.everywhere() as connection:
        found = source_settings.read(connection, organization, resources.by_name("locations"))
    assert [setting.header_row for setting in found] == [4]
    assert written_down(database, organization) == [
        "the source of locations to folder clinics, header in row 4"
    ]
    told = "\n".join(text.value for text in visit("sources").markdown)
    assert told.count("header in row 4") == 1


def make_old(database: psycopg.Connection, run: int) -> None:
    """Let a run have ended three days ago, past the guard of ended runs."""
    database.execute("set session_replication_role = replica")
    for change in (
        "update runs set finished_at = finished_at - interval '3 days' where id = %s",
        "update outcomes set at = at - interval '3 days' where run_id = %s",
    ):
        database.execute(change, [run])
    database.execute("set session_replication_role = origin")


def names_of(database: psycopg.Connection, run: int) -> list[str | None]:
    return [n for (n,) in database.execute("select name from outcomes where run_id = %s", [run])]


def test_old_values_are_dropped_after_a_question_that_says_what_stays(
    visit: Visit, desk: Desk, database: psycopg.Connection
) -> None:
    old, new = (desk.sync("locations", locations=[LABELS, row(code)]) for code in ("L1", "L2"))
    make_old(database, old.id)
    page = open_tab(visit, "Old values")
    page.number_input(key="retention-days").set_value(2).run()
    page.button(key="ask-drop-values").click().run()
    asked = "\n".join(text.value for text in page.markdown)
    assert "Of syncs that ended before" in asked
    assert "every run with its counts" in asked
    assert names_of(database, old.id) == ["Clinic"]
    page.button(key="drop-values").click().run()
    assert [toast.value for toast in page.toast] == ["Values deleted: 1 row."]
    assert (names_of(database, old.id), names_of(database, new.id)) == ([None], ["Clinic"])
    query = "select detail->>'outcomes' from actions where organization_id = %s and kind = %s"
    written = database.execute(query, [desk.organization.id, ActionKind.DROPPED_VALUES])
    assert written.fetchall() == [("1",)]
