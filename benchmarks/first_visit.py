"""Measure what a first visit brings to a browser: `python -m benchmarks.first_visit`.

A fresh demo, and Chromium with an empty cache for each page: bytes over the wire and seconds to the
title and to the first chart, with answers compressed and, side by side, as Streamlit has them.
"""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import CHROMIUM, Tab, free_port, wait_until_it_answers

PAGES = {"/": None, "/locations": None, "/analytics": ".js-plotly-plot"}  # and its first chart
SYNCDESK = Path(sys.executable).with_name("syncdesk")
LOOK_SECONDS = 5  # after the last of them, for what comes late


@dataclass
class Visit:
    """What one visit brought."""

    title: float = 0.0  # seconds until it was seen
    chart: float = 0.0
    sizes: list[float] = field(default_factory=list)  # bytes of each answer, as sent

    def hear(self, event: dict[str, Any]) -> None:
        """Note an answer that has arrived."""
        self.sizes.append(event["encodedDataLength"])


def main() -> None:
    """Measure, and print."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        environ = {**os.environ, "SYNCDESK_DATA": folder}
        up = subprocess.Popen([SYNCDESK, "up", "--port", str(port)], env=environ)
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health", up)
            with sync_playwright() as playwright:
                chromium = playwright.chromium
                browser = chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                _compare(browser, f"http://127.0.0.1:{port}")
        finally:
            up.terminate()
            up.wait(30)


def _compare(browser: Browser, url: str) -> None:
    state = Tab(browser, url).sign_in("Ana Ruiz")
    print(f"{'page':12} {'as it is':>10} {'compressed':>11} {'ratio':>6} {'title':>7} {'chart':>7}")
    for path, chart in PAGES.items():
        for _ in range(2):  # the first visit of all draws the page for the first time
            plain, small = (_visit(browser, f"{url}{path}", state, chart, c) for c in (False, True))
        before, now = sum(plain.sizes) / 1e6, sum(small.sizes) / 1e6
        times = f"{small.title:6.1f}s {small.chart:6.1f}s" if chart else f"{small.title:6.1f}s"
        print(f"{path:12} {before:7.2f} MB {now:8.2f} MB {now / before:6.2f} {times}")


def _visit(browser: Browser, url: str, state: Any, chart: str | None, compressed: bool) -> Visit:  # noqa: ANN401, FBT001 - Playwright's
    """Open a page in a browser that has nothing of it yet."""
    visit = Visit()
    context = browser.new_context(storage_state=state)
    if not compressed:
        context.set_extra_http_headers({"accept-encoding": "identity"})
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", visit.hear)
    start = time.monotonic()
    page.goto(url)
    page.locator("h1").first.wait_for(timeout=60_000)
    visit.title = time.monotonic() - start
    if chart:
        page.locator(chart).first.wait_for(timeout=60_000)
        visit.chart = time.monotonic() - start
    page.wait_for_timeout(LOOK_SECONDS * 1000)
    context.close()
    return visit


if __name__ == "__main__":
    main()
