"""`syncdesk up` as a process: it serves the pages, and leaves nothing behind however it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from sync_core.foundation import settings
from sync_core.foundation.settings import ROOT
from tests.support import bends
from tests.support.waiting import eventually

pytestmark = pytest.mark.alone

SYNCDESK = Path(sys.executable).with_name("syncdesk")
Up = tuple[subprocess.Popen[str], int, list[psutil.Process]]


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    port = _free_port()
    environment = {**os.environ, "SYNCDESK_DATA": str(tmp_path / "data")}
    process = subprocess.Popen(
        [SYNCDESK, "up", "--port", str(port), "--workers", "2"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        told = process.stdout.readline()
        yield process, port, _everything(process, tmp_path)
        process.kill()
        process.wait()
    assert told.startswith(f"Sync Desk is at http://127.0.0.1:{port}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _everything(process: subprocess.Popen[str], folder: Path) -> list[psutil.Process]:
    """List the processes of `up`, and the servers that work in its folder."""
    ours = psutil.Process(process.pid).children(recursive=True)
    for other in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(other.info["cmdline"] or ()):
            ours.append(other)
    return ours


def _all_gone(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not [p for p in processes if p.is_running() and p.status() != "zombie"]


def _tell(folder: Path, *words: str) -> dict[str, Any]:
    """Run a command beside `up`, and return what it answers."""
    ours = {key: value for key, value in os.environ.items() if not key.endswith("_URL")}
    environment = {**ours, "SYNCDESK_DATA": str(folder / "data")}
    command: list[str | Path] = [SYNCDESK, *words, "--org", "demo", "--json"]
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=False)
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


@contextmanager
def _redis_of(everything: list[psutil.Process]) -> Iterator[None]:
    """Let this process know the Redis of `up` as its own."""
    titles = " ".join(" ".join(part.cmdline()) for part in everything)
    found = re.search(r"unixsocket:(\S+redis\.sock)", titles)
    assert found, titles
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", settings.urls().database)
        environment.setenv("REDIS_URL", f"unix://{found[1]}?db=0")
        settings.current.cache_clear()
        yield
    settings.current.cache_clear()


def _check_it_syncs_after(error: str, up: Up, folder: Path) -> None:
    """Check that what is asked for while Redis answers with errors is done when it heals."""
    with _redis_of(up[2]), bends.redis_answers(error):
        run = _tell(folder, "sync", "admins")
        assert run["status"] == "queued"
    status = ["status", str(run["run_id"])]
    eventually(lambda: _tell(folder, *status)["status"] == "completed", 60)


def test_up_serves_the_pages_outlives_a_bent_redis_and_ends_in_order(
    up: Up, tmp_path: Path
) -> None:
    process, port, everything = up
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
        assert answer.read() == b"ok"
    assert len(everything) >= 7
    parts = [" ".join(part.cmdline()) for part in psutil.Process(process.pid).children()]
    assert sum("worker.py" in part for part in parts) == 2
    leads_to_cliniko = tmp_path / "data" / settings.MADE_UP_CLINIKO
    assert leads_to_cliniko.stat().st_mode & 0o77 == 0
    lines = leads_to_cliniko.read_text().splitlines()
    found = settings.load(dict(line.split("=", 1) for line in lines))
    address, auth = f"{found.cliniko_base_url}/v1/patients", (found.cliniko_keys["demo"].value, "")
    assert httpx2.get(address, auth=auth).json()["total_entries"] == 614
    before = psutil.Process(process.pid).children()
    _check_it_syncs_after("OOM", up, tmp_path)
    _check_it_syncs_after("READONLY", up, tmp_path)
    assert psutil.Process(process.pid).children() == before
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    assert process.stdout is not None
    assert process.stdout.read().strip() == "Stopped."
    assert eventually(_all_gone(everything))
    assert not leads_to_cliniko.exists()


def test_up_leaves_nothing_behind_when_it_is_killed(up: Up) -> None:
    process, _, everything = up
    process.kill()
    assert eventually(_all_gone(everything))


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environment = {**os.environ, "SYNCDESK_DATA": str(tmp_path / "data")}
        refused = subprocess.run(
            [SYNCDESK, "up", "--port", port],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert refused.returncode == 1
    assert f"Port {port} is taken: choose another one with --port." in refused.stdout
