"""How many people one core serves who watch a run: `python benchmarks/watching.py [200]`.

Each session speaks Streamlit's protocol as a browser does: it opens the page of a resource whose
run is on its way, and polls every fragment at the pace that the page asks for.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from sync_core.catalogue.resources import ENTITIES
from sync_core.foundation.settings import ROOT
from tests.support import sign_ins

PORT, SECRET, SECONDS = 8690, "only-for-this-benchmark-on-loopback", 20
URL = f"http://127.0.0.1:{PORT}"
SYNCDESK = str(Path(sys.executable).with_name("syncdesk"))


class EndlessSheet(BaseHTTPRequestHandler):
    """A CSV whose rows go on coming until the benchmark is over."""

    def do_GET(self) -> None:
        """Send rows until nobody listens."""
        self.send_response(200)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.end_headers()
        labels = [field.label for field in ENTITIES["locations"].fields]
        self.wfile.write((",".join(labels) + "\r\n").encode())
        for number in range(10**9):
            rows = (f"L{number}-{n},Clinic{',' * (len(labels) - 2)}\r\n" for n in range(20_000))
            self.wfile.write("".join(rows).encode())
            time.sleep(1)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def cookies() -> tuple[str, str]:
    """Return the cookies of somebody who is signed in, and the token that goes with them."""
    asked = HTTPConnection(URL.removeprefix("http://"))
    asked.request("GET", "/_stcore/health")
    found = SimpleCookie(asked.getresponse().headers["Set-Cookie"])
    token = found["_streamlit_xsrf"].value
    (signed,) = sign_ins.cookie(URL, "vera.olsen@example.org", SECRET).values()
    return f"_streamlit_xsrf={token}; _streamlit_user={signed}", token


async def finished(socket: ClientConnection) -> dict[str, float]:
    """Read until the script has run; returns the fragments that want to be polled, in seconds."""
    polls = {}
    while True:
        message = ForwardMsg()
        message.ParseFromString(await socket.recv())
        if message.WhichOneof("type") == "auto_rerun":
            polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        if message.WhichOneof("type") == "script_finished":
            return polls


async def watch(cookie: str, token: str, took: list[float], until: asyncio.Event) -> None:
    """Open the page and poll it until the end; notes how long each poll took."""
    async with connect(
        f"ws://127.0.0.1:{PORT}/_stcore/stream",
        additional_headers={"Cookie": cookie},
        origin=Origin(URL),
        subprotocols=[Subprotocol("streamlit"), Subprotocol(token)],
        max_size=None,
    ) as socket:
        first = BackMsg()
        first.rerun_script.page_name = "locations"
        await socket.send(first.SerializeToString())
        polls = await finished(socket)
        due = {fragment: time.monotonic() + pace for fragment, pace in polls.items()}
        while not until.is_set():
            fragment = min(due, key=lambda name: due[name])
            await asyncio.sleep(max(0.0, due[fragment] - time.monotonic()))
            due[fragment] += polls[fragment]
            again = BackMsg()
            again.rerun_script.fragment_id = fragment
            again.rerun_script.is_auto_rerun = True
            start = time.perf_counter()
            await socket.send(again.SerializeToString())
            await finished(socket)
            took.append(time.perf_counter() - start)


async def measure(sessions: int, server: psutil.Process) -> None:
    """Let so many sessions watch, and print what a poll costs and how long it takes."""
    cookie, token = cookies()
    took: list[float] = []
    until = asyncio.Event()
    watching = []
    for _ in range(sessions):
        watching.append(asyncio.create_task(watch(cookie, token, took, until)))
        await asyncio.sleep(0.05)
    await asyncio.sleep(5)
    took.clear()
    before, start = sum(server.cpu_times()[:2]), time.monotonic()
    await asyncio.sleep(SECONDS)
    seconds = time.monotonic() - start
    cpu = sum(server.cpu_times()[:2]) - before
    polls = sorted(took)
    until.set()
    await asyncio.gather(*watching)
    print(
        f"{sessions} sessions: {len(polls) / seconds:.0f} polls/s,"
        f" {1000 * cpu / len(polls):.1f} ms CPU a poll, {100 * cpu / seconds:.0f} % of a core,"
        f" p50 {1000 * statistics.median(polls):.0f} ms,"
        f" p95 {1000 * polls[int(len(polls) * 0.95)]:.0f} ms"
    )


def main() -> None:
    """Start everything in a folder of its own, and measure."""
    sheet = ThreadingHTTPServer(("127.0.0.1", 0), EndlessSheet)
    sheet.daemon_threads = True
    threading.Thread(target=sheet.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        secret = {"STREAMLIT_SERVER_COOKIE_SECRET": SECRET}
        environ = {**os.environ, **secret, "SYNCDESK_DATA": folder}
        desk = subprocess.Popen([SYNCDESK, "up", "--port", str(PORT)], env=environ, cwd=ROOT)
        try:
            time.sleep(15)
            address = f"http://127.0.0.1:{sheet.server_port}/endless.csv"
            for words in (["source", "set", "locations", address], ["sync", "locations"]):
                subprocess.run([SYNCDESK, *words], env=environ, check=True)
            server = next(
                child
                for child in psutil.Process(desk.pid).children()
                if "streamlit" in " ".join(child.cmdline())
            )
            for sessions in [int(words) for words in sys.argv[1:]] or [1, 50, 200]:
                asyncio.run(measure(sessions, server))
        finally:
            desk.terminate()
            desk.wait(60)


if __name__ == "__main__":
    main()
