import pytest
from streamlit.testing.v1 import AppTest

from sync_core.catalogue import resources
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations.administration import set_source
from sync_core.ui import SCRIPT
from tests.support import sign_ins, ways_in
from tests.support.desk import ANA, Desk
from tests.support.pages import Visit

EMAILS = {
    "viewer": "vera.olsen@example.org",
    "analyst": "sarah.lim@example.org",
    "manager": "michael.tan@example.org",
    "admin": "ana.ruiz@example.org",
}
PAGES = {  # who may open it
    name: {role for role in EMAILS if action.is_open_to(Role(role))}
    for name, action in ways_in.PAGES.items()
}


def offered(page: AppTest) -> set[str]:
    return {link.value for link in page.sidebar.page_link}


def buttons(page: AppTest) -> set[str]:
    return {button.key for button in page.button if button.key}


def refused(page: AppTest) -> bool:
    titles = [title.value for title in page.title]
    return titles == ["No access"] and "you may not" in page.main.markdown[0].value


def test_this_list_names_every_page() -> None:
    assert {file.stem for file in (ROOT / "pages").glob("*.py")} == set(PAGES)


@pytest.mark.parametrize("role", EMAILS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_for_those_who_may_see_it(visit: Visit, name: str, role: str) -> None:
    page = visit(name, EMAILS[role])
    assert refused(page) == (role not in PAGES[name])
    assert page.title
    assert not page.error


@pytest.mark.parametrize("role", EMAILS)
def test_the_navigation_offers_what_the_role_may_see(visit: Visit, role: str) -> None:
    links = offered(visit("overview", EMAILS[role]))
    assert ("Settings" in links) == (role == "admin")
    assert ("Analytics" in links) == (role in {"manager", "admin"})


@pytest.mark.parametrize("role", EMAILS)
def test_buttons_are_for_those_who_may_press_them(visit: Visit, desk: Desk, role: str) -> None:
    desk.start("locations")
    page = visit("locations", EMAILS[role])
    for key, action in ways_in.BUTTONS.items():
        assert (key in buttons(page)) == action.is_open_to(Role(role)), key
    changes = [field.label for field in visit("sources", EMAILS[role]).text_input]
    assert ("Source" in changes) == (role == "admin")


@pytest.mark.parametrize("role", EMAILS)
def test_a_secret_address_is_for_those_who_may_set_it(visit: Visit, desk: Desk, role: str) -> None:
    address = "https://files.example.org/export/TOKEN-7/clinics.csv?key=TOKEN-8"
    set_source(desk.organization, ANA, resources.by_name("locations"), address)
    for name in ("locations", "sources"):
        page = visit(name, EMAILS[role])
        shown = "".join(text.value for text in page.markdown)
        shown += "".join(html.proto.body for html in page.get("html"))
        assert ("TOKEN-" in shown) == (role == "admin")
        assert "CSV at files" in shown


@pytest.mark.parametrize("name", PAGES)
def test_nobody_sees_a_page_without_signing_in(visit: Visit, name: str) -> None:
    page = visit("overview")
    page.user = {"is_logged_in": False}
    page.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
    assert [title.value for title in page.title] == ["Sign in to Sync Desk"]
    assert offered(page) == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_runs_without_its_frame_shows_nothing(visit: Visit, name: str) -> None:
    visit("overview")
    page = AppTest.from_file(ROOT / "pages" / f"{name}.py", default_timeout=60)
    page.user = {"is_logged_in": False}
    page.run()
    assert not page.exception
    assert not page.main.children


def test_a_stranger_is_told_whom_to_ask(visit: Visit) -> None:
    visit("overview")
    page = AppTest.from_file(SCRIPT, default_timeout=60)
    page.user = sign_ins.claims("nobody@example.org")
    page.run()
    assert "not known in any organization" in page.warning[0].value


def test_an_old_sign_in_has_ended(visit: Visit) -> None:
    visit("overview")
    page = AppTest.from_file(SCRIPT, default_timeout=60)
    page.user = sign_ins.claims(EMAILS["admin"], iat=1_000_000_000)
    page.run()
    assert [title.value for title in page.title] == ["Sign in to Sync Desk"]
    assert "has ended" in page.warning[0].value
