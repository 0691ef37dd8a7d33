"""The whole program in a real Chromium: servers, worker and pages of its own."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from sync_core.resources import ENTITIES

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
LEFT_OUT = "The browser tests were LEFT OUT: there is no Chromium here (apt-get install chromium)."
SYNCDESK = str(Path(sys.executable).with_name("syncdesk"))
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("SYNCDESK_REQUIRE_BROWSER"):
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(LEFT_OUT in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"\n{LEFT_OUT}\n", red=True, bold=True)


@dataclass
class App:
    """A running program, and the data folder that it alone uses."""

    url: str
    data: Path

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [SYNCDESK, *words], env=self.environ, check=True, capture_output=True, text=True
        )
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "SYNCDESK_DATA": str(self.data)}


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    if CHROMIUM is None:
        pytest.fail(LEFT_OUT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = App(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("desk"))
    program = [SYNCDESK, "up", "--port", str(port)]
    process = subprocess.Popen(program, env=app.environ, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(app, process)
        yield app
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(app: App, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError, HTTPException):
            asked = HTTPConnection(app.url.removeprefix("http://"), timeout=1)
            asked.request("GET", "/_stcore/health")
            if asked.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(0.1)
    pytest.fail("the program did not start")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """A tab at the program, which notes every request that leaves the machine."""

    def __init__(self, browser: Browser, app: App) -> None:
        self.app = app
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 900}, timezone_id="Australia/Perth"
        )
        self.outside: list[str] = []
        self.context.route("**/*", self._check)
        self.page = self.context.new_page()

    def _check(self, route: Route) -> None:
        if route.request.url.startswith(self.app.url):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, path: str = "/") -> Page:
        self.page.goto(f"{self.app.url}{path}")
        self.page.locator("h1").wait_for()
        return self.page


@pytest.fixture
def tab(browser: Browser, app: App) -> Iterator[Tab]:
    tab = Tab(browser, app)
    yield tab
    tab.context.close()
    assert tab.outside == []


@pytest.fixture
def second_tab(browser: Browser, app: App) -> Iterator[Tab]:
    tab = Tab(browser, app)
    yield tab
    tab.context.close()


class SlowSheet:
    """A published CSV of clinics, whose server stops half-way until it is told to go on."""

    def __init__(self) -> None:
        labels = [field.label for field in ENTITIES["locations"].fields]
        rows = [[f"S{n:05}", f"Clinic {n}", *[""] * (len(labels) - 2)] for n in range(1, 4001)]
        self.body = "".join(",".join(row) + "\r\n" for row in [labels, *rows]).encode()
        self.go_on = threading.Event()

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/csv; charset=utf-8")
        handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        half = len(self.body) // 2
        with suppress(OSError):  # who asks may have been told to stop
            handler.wfile.write(self.body[:half])
            self.go_on.wait(60)
            handler.wfile.write(self.body[half:])


@pytest.fixture(scope="session")
def published(app: App) -> Iterator[SlowSheet]:
    sheet = SlowSheet()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sheet.serve(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    app.command("source", "set", "locations", f"http://127.0.0.1:{server.server_port}/clinics.csv")
    yield sheet
    server.shutdown()
    server.server_close()


@pytest.fixture
def slow_sheet(published: SlowSheet) -> Iterator[SlowSheet]:
    published.go_on.clear()
    yield published
    published.go_on.set()
