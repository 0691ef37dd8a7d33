"""The whole program in a real Chromium: servers, worker and pages of its own."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Route,
    StorageState,
)

from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation.settings import ROOT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
LEFT_OUT = "The browser tests were LEFT OUT: there is no Chromium here (apt-get install chromium)."

SYNCDESK = str(Path(sys.executable).with_name("syncdesk"))

STREAMLIT = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py")]
STARTED = re.compile(r"Sync started\.\.\.|Sync in progress\.\.\.")
START = re.compile("^Sync data$|^Sync again$|^Retry$")
CLICKS: list[float] = []  # seconds from a click to its first result; printed, never judged


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 150
    while time.monotonic() < end and process.poll() is None:
        asked = HTTPConnection(urlsplit(url).netloc, timeout=1)
        with suppress(OSError, HTTPException), closing(asked):
            asked.request("GET", urlsplit(url).path or "/")
            if asked.getresponse().status == HTTPStatus.OK:
                return
        time.sleep(0.1)
    pytest.fail(f"nothing answers at {url}")


def serious(page: Page) -> dict[str, list[str]]:
    """Return what axe-core finds serious, with the elements."""
    return {
        violation["id"]: [node["html"][:160] for node in violation["nodes"]]
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in {"serious", "critical"}
    }


@dataclass
class App:
    """A running program, and the data folder that it alone uses."""

    url: str
    data: Path
    other_site: int = field(default_factory=free_port)  # whose pages may call the API
    states: dict[str, StorageState] = field(default_factory=dict)  # of who is signed in
    settings: Mapping[str, str] = field(
        default_factory=lambda: {"SYNCDESK_COOLDOWN": "0.1"}  # one test syncs right after the other
    )

    def command(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [SYNCDESK, *words], env=self.environ, check=check, capture_output=True, text=True
        )
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        site = {"SYNCDESK_API_ORIGINS": f"http://127.0.0.1:{self.other_site}"}
        return {**os.environ, **self.settings, **site, "SYNCDESK_DATA": str(self.data)}

    def process(self, *words: str) -> psutil.Process:
        """Find the process of this program whose command line holds all the words."""
        for found in psutil.process_iter(["cmdline", "environ"]):
            line = " ".join(found.info["cmdline"] or ())
            ours = str(self.data) in f"{line} {(found.info['environ'] or {}).get('SYNCDESK_DATA')}"
            if ours and all(word in line for word in words):
                return found
        pytest.fail(f"there is no process of {words}")


@contextmanager
def running(program: list[str], app: App) -> Iterator["subprocess.Popen[bytes]"]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(program, cwd=ROOT, env=app.environ, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


class Tab:
    """A tab at the program.

    It notes every request that leaves the machine, and what the browser refused to our pages.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        state: StorageState | None = None,
        mode: str = "light",
        width: int = 1280,
    ) -> None:
        self.url = url
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            timezone_id="Australia/Perth",
            color_scheme="dark" if mode == "dark" else "light",
            storage_state=state,
        )
        self.outside: list[str] = []
        self.refused: list[str] = []
        self.context.on("console", self._hear)
        self.context.route("**/*", self._check)
        self.page = self.context.new_page()

    def _hear(self, said: ConsoleMessage) -> None:
        if "Content Security Policy" in said.text or "Permissions policy" in said.text:
            self.refused.append(said.text)

    def _check(self, route: Route) -> None:
        if urlsplit(route.request.url).hostname in {"127.0.0.1", None}:
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def open(self, path: str = "/") -> Page:
        self.page.goto(f"{self.url}{path}")
        self.page.locator("h1").first.wait_for()
        return self.page

    def sign_in(self, who: str) -> StorageState:
        """Choose a person of the demo."""
        self.open().get_by_role("button", name=who).click()
        self.page.get_by_role("heading", name="Overview").wait_for()
        return self.context.storage_state()


Visit = Callable[..., Tab]


class SlowSheet:
    """A published CSV of clinics, whose server stops half-way until it is told to go on."""

    def __init__(self) -> None:
        self.labels = [field.label for field in ENTITIES["locations"].fields]
        self.go_on = threading.Event()
        self.fill()

    def fill(self, broken: int = 0) -> None:
        """Make 4,000 rows, the first of them with a phone that is none."""
        rows = [[f"S{n:05}", f"Clinic {n}", *self._rest(n <= broken)] for n in range(1, 4001)]
        self.body = "".join(",".join(row) + "\r\n" for row in [self.labels, *rows]).encode()

    def _rest(self, broken: bool) -> list[str]:  # noqa: FBT001
        return ["not a phone" if broken and label == "Phone" else "" for label in self.labels[2:]]

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
