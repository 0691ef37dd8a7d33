"""The program that the tests of the browser visit, and who visits it."""

import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    expect,
    sync_playwright,
)

from sync_core.foundation import settings
from tests.support import sign_ins
from tests.support.browser import (
    CHROMIUM,
    CLICKS,
    LEFT_OUT,
    STREAMLIT,
    SYNCDESK,
    App,
    SlowSheet,
    Tab,
    Visit,
    free_port,
    running,
    wait_until_it_answers,
)

HERE = Path(__file__).parent
expect.set_options(timeout=30_000)  # a busy machine is not a fault of the pages


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("SYNCDESK_REQUIRE_BROWSER"):
                item.add_marker(pytest.mark.skip(reason=LEFT_OUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if CLICKS:
        middle, slowest = 1000 * statistics.median(CLICKS), 1000 * max(CLICKS)
        told = f"{len(CLICKS)} clicks on Sync: first result after {middle:.0f} ms in the median"
        terminalreporter.write_line(f"{told}, {slowest:.0f} ms at most")
    skipped = terminalreporter.stats.get("skipped", [])
    if any(LEFT_OUT in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"\n{LEFT_OUT}\n", red=True, bold=True)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    if CHROMIUM is None:
        pytest.fail(LEFT_OUT)
    port = free_port()
    app = App(f"http://127.0.0.1:{port}", tmp_path_factory.mktemp("desk"))
    program = [SYNCDESK, "up", "--port", str(port)]
    process = subprocess.Popen(program, env=app.environ, stdout=subprocess.DEVNULL)
    try:
        wait_until_it_answers(f"{app.url}/_stcore/health", process)
        yield app
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, app: App) -> Iterator[Visit]:
    """Open a tab as somebody; nobody's for `who=None`."""
    tabs: list[Tab] = []

    def open_tab(who: str | None = "Ana Ruiz", **look: object) -> Tab:
        if who and who not in app.states:
            first = Tab(browser, app.url)
            app.states[who] = first.sign_in(who)
            first.context.close()
        tabs.append(Tab(browser, app.url, app.states[who] if who else None, **look))  # type: ignore[arg-type]
        return tabs[-1]

    yield open_tab
    for tab in tabs:
        tab.context.close()
    assert [address for tab in tabs for address in tab.outside] == []
    assert [refusal for tab in tabs for refusal in tab.refused] == []


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
    published.fill()
    published.go_on.clear()
    yield published
    published.go_on.set()


@pytest.fixture
def patient(app: App) -> Iterator[App]:
    """Serve the pages with a cooldown that can be seen, in a process of its own."""
    port = free_port()
    slow = {"SYNCDESK_COOLDOWN": "3", settings.UP: str(os.getpid())}  # as where it is the demo
    pages = replace(app, url=f"http://127.0.0.1:{port}", settings=slow)
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with running([*STREAMLIT, *options], pages) as server:
        wait_until_it_answers(f"{pages.url}/_stcore/health", server)
        yield pages


@pytest.fixture
def openid(app: App, tmp_path: Path) -> Iterator[App]:
    """Serve the pages with [auth], in a process of its own that nobody has visited yet."""
    provider, pages = free_port(), free_port()
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(sign_ins.secrets_of(pages, provider), encoding="utf-8")
    users = [
        '{"sub": "u1", "email": "oscar.reyes@example.org", "email_verified": true}',
        '{"sub": "u2", "email": "nobody@example.org", "email_verified": true}',
        '{"sub": "u3", "email": "ana.ruiz@example.org", "email_verified": false}',
    ]
    app.command("person", "set", "oscar.reyes@example.org", "Oscar Reyes", "--role", "analyst")
    mock = str(Path(sys.executable).with_name("oidc-provider-mock"))
    claims = [word for user in users for word in ("--user-claims", user)]
    options = ["--server.port", str(pages), "--server.address", "127.0.0.1"]
    with (
        running([mock, "-p", str(provider), *claims], app) as issuer,
        running([*STREAMLIT, *options, "--secrets.files", str(secrets)], app) as server,
    ):
        well_known = f"http://127.0.0.1:{provider}/.well-known/openid-configuration"
        wait_until_it_answers(well_known, issuer)
        wait_until_it_answers(f"http://127.0.0.1:{pages}/_stcore/health", server)
        yield App(f"http://127.0.0.1:{pages}", app.data)
