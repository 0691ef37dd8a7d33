import re
import subprocess

from playwright.sync_api import Browser, Page, expect

from tests.support.browser import STREAMLIT, App, Tab, Visit


def sign_out(page: Page) -> None:
    page.locator(".st-key-sign-out").get_by_role("button").click()


def choose(page: Page, user: str) -> None:
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(re.compile("oauth2/authorize"))
    page.get_by_role("button", name=user).click()


def test_nobody_sees_anything_before_signing_in(visit: Visit) -> None:
    for path in ("/", "/locations", "/settings"):
        page = visit(who=None).open(path)
        expect(page.get_by_role("heading", name="Sign in to Sync Desk")).to_be_visible()
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
        expect(page.get_by_text("Northwind Care")).to_have_count(0)


def test_the_demo_lets_you_choose_somebody_and_leads_where_you_wanted(visit: Visit) -> None:
    page = visit(who=None).open("/therapists")
    page.get_by_role("button", name="Sarah Lim").click()
    expect(page.get_by_role("heading", name="Therapist Management")).to_be_visible()
    expect(page.get_by_test_id("stSidebar").get_by_text("Sarah Lim")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Therapist Management")).to_be_visible()
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in to Sync Desk")).to_be_visible()


def test_a_page_that_is_not_yours_says_so_in_a_sentence(visit: Visit) -> None:
    page = visit("Michael Tan").page
    page.goto(f"{visit('Michael Tan').url}/settings")
    expect(page.get_by_text("As a manager you may not change settings.")).to_be_visible()
    expect(page.get_by_text("Ask an administrator.")).to_be_visible()
    expect(page.get_by_role("link", name="Settings")).to_have_count(0)


def test_openid_connect_signs_in_and_out(browser: Browser, openid: App) -> None:
    tab = Tab(browser, openid.url)
    page = tab.open("/settings")  # the first request of all that this process gets
    expect(page.get_by_role("heading", name="Sign in to Sync Desk")).to_be_visible()
    choose(page, "u1")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_test_id("stSidebar").get_by_text("Oscar Reyes")).to_be_visible()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    sign_out(page)
    page.wait_for_url(re.compile("/oauth2/end_session"))
    tab.open()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()
    tab.context.close()


def test_openid_connect_keeps_strangers_and_unverified_addresses_out(
    browser: Browser, openid: App
) -> None:
    for user, told in (
        ("u2", "nobody@example.org is not known in any organization."),
        ("u3", "ana.ruiz@example.org is not verified by your sign-in service."),
    ):
        tab = Tab(browser, openid.url)
        page = tab.open()
        choose(page, user)
        expect(page.get_by_text(told)).to_be_visible()
        expect(page.get_by_role("alert").get_by_role("link")).to_have_count(0)
        expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)
        tab.context.close()


def test_the_demo_sign_in_is_refused_where_openid_connect_is_set_up(
    browser: Browser, openid: App
) -> None:
    tab = Tab(browser, openid.url)
    tab.open()
    answer = tab.context.request.get(f"{openid.url}/sign-in/demo?ticket=made-up")
    assert answer.ok
    assert [c["name"] for c in tab.context.cookies() if c["name"] == "_streamlit_user"] == []
    expect(tab.page.get_by_role("button", name="Ana Ruiz")).to_have_count(0)
    tab.context.close()


def test_the_pages_refuse_to_start_where_nobody_would_have_to_sign_in(app: App) -> None:
    program = [*STREAMLIT, "--server.port", "0", "--server.address", "0.0.0.0"]  # noqa: S104
    done = subprocess.run(
        program, env=app.environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "[auth]" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_the_list_of_people_says_how_they_sign_in_on_the_demo(visit: Visit) -> None:
    page = visit().open("/settings")
    ana = page.locator("tr[data-opens]").filter(has_text="ana.ruiz@example.org")
    expect(ana).to_contain_text("Demo sign-in")
    expect(page.get_by_text("Not signed in yet")).to_have_count(0)
