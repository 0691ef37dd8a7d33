"""The Python client of examples/, over a line that breaks."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sync_core import runs
from sync_core.foundation import db
from sync_core.foundation.settings import ROOT
from sync_core.organizations import Organization
from sync_core.runs import Run, attempts
from tests.support.api_server import Program, Server
from tests.support.desk import Desk
from tests.support.locations import HEADER, row
from tests.support.shaky_line import shaky_line
from tests.support.waiting import eventually

Client = subprocess.Popen[str]


@contextmanager
def client(url: str, program: Program) -> Iterator[Client]:
    """Start the client, and see that it ends."""
    token = program.headers["authorization"].removeprefix("Bearer ")
    environ = {**os.environ, "SYNCDESK": url, "TOKEN": token, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(ROOT / "examples/client.py"), "locations"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def started(home: Organization) -> Run:
    with db.everywhere() as connection:
        return runs.latest(connection, home.id)["locations"]


@pytest.fixture
def program(server: Server, home: Organization, desk: Desk) -> Program:
    desk.write("locations", [HEADER, row("L1"), row("L2", Email="nobody")])
    desk.set_source("locations")
    return Program(server, home)


def test_the_client_tells_each_event_once_over_a_line_that_breaks(
    server: Server, program: Program, home: Organization, desk: Desk
) -> None:
    with shaky_line(server.url) as line, client(line.url, program) as process:
        assert process.stdout
        assert process.stdout.readline() == "queued\n"
        calls = line.calls
        line.cut()
        eventually(lambda: line.calls > calls)
        run = desk.work(started(home))
        told = process.stdout.read().splitlines()
    assert told[-2:] == ["partial", "Processed 2 locations: 1 created, 0 updated, 1 failed."]
    with db.everywhere() as connection:
        log = attempts.joined_log(attempts.of_run(connection, run.id))
    states = ("queued", "running", "partial")
    assert [text for text in told[:-1] if not text.startswith(states)] == [x.text for x in log]
    assert process.wait(20) == 1


def test_the_client_cancels_when_it_is_interrupted(
    server: Server, program: Program, home: Organization
) -> None:
    with client(server.url, program) as process:
        assert process.stdout
        assert process.stdout.readline() == "queued\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 1
    assert started(home).status == "cancelled"
