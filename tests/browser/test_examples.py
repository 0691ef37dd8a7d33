"""The front ends of examples/, on a site of their own, at the real server."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from os import PathLike
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from sync_core.foundation.settings import ROOT
from tests.support.browser import App, SlowSheet, Tab, serious
from tests.support.shaky_line import ShakyLine, shaky_line


class Site(SimpleHTTPRequestHandler):
    """Serves examples/, and below /tests what compiles and shows the component."""

    def translate_path(self, path: str) -> str:
        if path.startswith("/tests/"):
            packed = ".gz" if path.endswith(".js") else ""
            return str(Path(__file__).parent / "react" / f"{Path(path).name}{packed}")
        return super().translate_path(path)

    def guess_type(self, path: str | PathLike[str]) -> str:
        return "text/javascript" if str(path).endswith(".js.gz") else super().guess_type(path)

    def end_headers(self) -> None:
        if self.path.startswith("/tests/") and self.path.endswith(".js"):
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site(app: App, browser: Browser) -> Iterator[Tab]:
    """Open a tab at another site than the program's, which may call it."""
    serving = ThreadingHTTPServer(
        ("127.0.0.1", app.other_site), partial(Site, directory=str(ROOT / "examples"))
    )
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    tab = Tab(browser, f"http://127.0.0.1:{app.other_site}")
    yield tab
    tab.context.close()
    serving.shutdown()
    serving.server_close()
    assert tab.outside == []


@pytest.fixture
def line(app: App) -> Iterator[ShakyLine]:
    with shaky_line(app.url) as line:
        yield line


@pytest.fixture(scope="module")
def token(app: App) -> str:
    who = ("--role", "analyst", "--as", "ana.ruiz@example.org")
    return app.command("token", "add", "front ends", *who).strip()


def latest(app: App, token: str) -> tuple[str, list[str]]:
    """Return how the newest run stands, and its log up to how it ended, as the server tells it."""
    headers = {"authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=f"{app.url}/api/v1", headers=headers) as client:
        (run,) = client.get("/runs?resource=locations&limit=1").json()["runs"]
        log = client.get(f"/runs/{run['id']}/log.txt").text
    *lines, end = (text.split("  ")[-1] for text in log.splitlines())
    assert end == run["message"]
    return run["status"], lines


def connected(site: Tab, line: ShakyLine, token: str) -> Page:
    page = site.page
    page.goto(f"{site.url}/sync.html")
    page.get_by_label("Address of Sync Desk").fill(line.url)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Connect").click()
    page.get_by_label("What to sync").select_option("Locations")
    return page


def with_the_panel(site: Tab, line: ShakyLine, token: str) -> Page:
    about = f"resource=locations&base={line.url}/api/v1&token={token}"
    site.page.goto(f"{site.url}/tests/index.html#{about}")
    return site.page


Front = Callable[[Tab, ShakyLine, str], Page]
fronts = pytest.mark.parametrize("front", [connected, with_the_panel])


@fronts
def test_a_front_end_follows_a_sync_over_a_line_that_breaks(
    front: Front, app: App, site: Tab, line: ShakyLine, token: str, slow_sheet: SlowSheet
) -> None:
    page = front(site, line, token)
    page.get_by_role("button", name="Sync data").click()
    expect(page.get_by_role("button", name="Syncing...")).to_be_disabled()
    expect(page.get_by_role("status")).to_contain_text("Syncing")
    expect(page.get_by_role("list", name="Steps").locator("[aria-current=step]")).to_have_text(
        "Downloading"
    )
    line.cut()
    expect(page.get_by_role("status")).to_contain_text("connection lost")
    expect(page.get_by_role("status")).not_to_contain_text("connection lost")
    page.reload()  # as somebody does who does not trust it
    expect(page.get_by_role("status")).to_contain_text("Syncing")
    slow_sheet.go_on.set()
    expect(page.get_by_role("status")).to_contain_text("Completed")
    expect(page.get_by_text(re.compile("^Processed 4,000 locations"))).to_be_visible()
    status, told = latest(app, token)
    assert status == "completed"
    shown = page.get_by_role("log").locator("> *").all_inner_texts()
    assert [text.split("M ")[-1] for text in shown] == told


@fronts
def test_a_front_end_polls_where_no_stream_comes_through_and_cancels(
    front: Front, app: App, site: Tab, line: ShakyLine, token: str, slow_sheet: SlowSheet
) -> None:
    site.page.route("**/events", lambda route: route.abort())
    page = front(site, line, token)
    page.get_by_role("button", name="Sync data").click()
    expect(page.get_by_role("status")).to_contain_text("without live log")
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile("[1-9]"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("Cancelled")
    assert latest(app, token)[0] == "cancelled"
    slow_sheet.go_on.set()


@fronts
def test_a_front_end_keeps_nobody_out_and_fits_a_phone(
    front: Front, site: Tab, line: ShakyLine, token: str
) -> None:
    page = front(site, line, token)
    expect(page.get_by_role("button", name="Sync data")).to_be_enabled()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == {}
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_refusal_and_a_wrong_address_are_told_in_words(site: Tab, line: ShakyLine) -> None:
    page = site.page
    page.goto(f"{site.url}/sync.html")
    page.get_by_label("Token").fill("syncdesk_wrong")
    for address, told in (
        (line.url, "The token is not known"),
        ("http://127.0.0.1:1", "The server cannot be reached"),
    ):
        page.get_by_label("Address of Sync Desk").fill(address)
        page.get_by_role("button", name="Connect").click()
        expect(page.get_by_role("alert")).to_contain_text(told)
