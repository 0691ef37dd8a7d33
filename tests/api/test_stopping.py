"""The real server of the pages, told to stop while somebody reads a file or a stream."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sync_core.api.front_ends.sheet_sync import GOES_ON
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, people, tokens
from tests.support import sign_ins
from tests.support.desk import ANA, Desk
from tests.support.exports import fill, manifests, trail_of
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually


@pytest.fixture
def pages(
    organization: Organization, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the pages' server, and wait until it answers."""
    with db.everywhere() as connection:
        people.add(connection, organization.id, ANA)
    port, file = _free_port(), tmp_path / "secrets.toml"
    file.write_text(sign_ins.secrets_of(port, provider=port), encoding="utf-8")
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    options += ["--secrets.files", str(file)]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "Home.py"), *options]
    with _started(command) as process:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(url, "/_stcore/health"), 60)
        yield process, url


def test_an_open_file_does_not_keep_the_server_from_stopping(
    organization: Organization, pages: tuple[subprocess.Popen[bytes], str]
) -> None:
    fill(organization)
    _stop_while_reading(*pages, trail_of(organization))
    (told,) = manifests(organization)
    assert told["complete"] is False


def test_an_open_stream_of_events_does_not_keep_the_server_from_stopping(
    desk: Desk, pages: tuple[subprocess.Popen[bytes], str]
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run, slug = desk.start("locations"), desk.organization.slug
    process, url = pages
    for path in ("/api", "/api/", "/api/nothing", "/api/v1/x", "/admin-portal/x"):
        for method in ("GET", "POST", "DELETE"):
            answer = httpx2.request(method, f"{url}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_address"), path
    assert httpx2.get(f"{url}/healthz").text == "alive\n"
    assert {check["name"] for check in httpx2.get(f"{url}/readyz").json()["checks"]} >= {"worker"}
    assert httpx2.get(f"{url}/metrics").status_code == 401
    with (
        httpx2.Client(base_url=url, cookies=_cookie(url), timeout=30) as client,
        client.stream("POST", f"/api/sync-sheets?organization={slug}") as waiting,
    ):
        told = waiting.iter_text()
        assert next(told) == " "
        _stop_while_reading(process, url, f"/runs/{run.id}/events")
        assert json.loads("".join(told))["message"] == GOES_ON
    syncs.cancel(desk.organization, run.id, ANA)


def test_the_api_alone_stops_with_streams_and_sockets_open(desk: Desk) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    with db.everywhere() as connection:
        secret = tokens.add(connection, desk.organization.id, ANA, "Follower", Role.VIEWER)
    headers = {"authorization": f"Bearer {secret}"}
    port = _free_port()
    command = ["uvicorn", "--factory", "sync_core.api.app:alone", "--port", str(port)]
    with _started([sys.executable, "-m", *command]) as process, ExitStack() as open_ones:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: _answers(url, "/healthz"), 60)
        client = open_ones.enter_context(httpx2.Client(base_url=url, headers=headers, timeout=60))
        streams = [
            open_ones.enter_context(client.stream("GET", f"/api/v1/runs/{run.id}/events"))
            for _ in range(5)
        ]
        socket_of = f"ws://127.0.0.1:{port}/api/v1/runs/{run.id}/socket"
        sockets = [
            open_ones.enter_context(connect(socket_of, additional_headers=headers))
            for _ in range(5)
        ]
        assert all(json.loads(one.recv(30))["event"] == "run" for one in sockets)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
        assert all("event: run" in stream.read().decode() for stream in streams)
        for one in sockets:
            with pytest.raises(ConnectionClosed):
                one.recv(30)
    syncs.cancel(desk.organization, run.id, ANA)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _stop_while_reading(process: subprocess.Popen[bytes], url: str, path: str) -> None:
    with (
        httpx2.Client(base_url=url, cookies=_cookie(url), timeout=30) as client,
        client.stream("GET", f"/api/v1{path}") as answer,
    ):
        assert answer.status_code == 200
        chunks = answer.iter_raw(10_000 if path.startswith("/audit") else None)
        next(chunks)
        process.send_signal(signal.SIGTERM)
        with suppress(httpx2.HTTPError):  # a slow reader, which would go on for minutes
            for _ in chunks:
                if process.poll() is not None:
                    break
                time.sleep(0.05)
        process.wait(30)


def _answers(url: str, path: str) -> bool:
    with suppress(httpx2.HTTPError):
        return httpx2.get(f"{url}{path}").status_code == 200
    return False


def _cookie(url: str) -> dict[str, str]:
    return sign_ins.cookie(url, ANA.email, sign_ins.SECRET)
