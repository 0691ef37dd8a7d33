"""Measure how long runs wait as workers grow: `python -m benchmarks.workers`.

Thirty organizations ask for two syncs each at once. Their source waits for two seconds before it
answers, so that the workers wait, and not for this machine's cores.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ |= {"SYNCDESK_COOLDOWN": "0.001", "SYNCDESK_PRIVATE_HOSTS": "127.0.0.1"}

import sqlalchemy as sa

from sync_core import organizations
from sync_core.catalogue import resources
from sync_core.execution import queue
from sync_core.foundation import db, embedded
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN)
RESOURCES = {
    "locations": {"Location code": "L1", "Name": "Ash"},
    "admins": {"Email": "ada@example.org", "Name": "Ada"},
}
WAITS = """
select extract(epoch from started_at - queued_at)::float from runs where id >= :first
"""


class Slow(BaseHTTPRequestHandler):
    """A source that lets whoever asks wait."""

    seconds = 2.0

    def do_GET(self) -> None:
        """Wait, then answer with one row."""
        time.sleep(self.seconds)
        name = self.path.strip("/").removesuffix(".csv")
        labels = [field.label for field in resources.ENTITIES[name].fields]
        row = [RESOURCES[name].get(label, "") for label in labels]
        body = f"{','.join(labels)}\n{','.join(row)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Measure one, two and four workers, and print how their waits compare."""
    parser = argparse.ArgumentParser(description="Measure how long runs wait as workers grow.")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--organizations", type=int, default=30)
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        os.environ["SYNCDESK_DATA"] = str(Path(folder, "servers"))
        db.prepare()
        address = f"http://127.0.0.1:{server.server_port}"
        made = [_organization(number, address) for number in range(options.organizations)]
        try:
            measured = {count: _measure(count, made) for count in options.workers}
        finally:
            embedded.release(20)
    base = measured[options.workers[0]]
    for count, waited in measured.items():
        ratio = base / waited
        print(f"{count} workers: median wait {waited:.1f} s, {ratio:.2f} times as short")


def _organization(number: int, address: str) -> Organization:
    with db.everywhere() as connection:
        made = organizations.add(connection, f"o-{number}", f"Clinic {number}")
        for name in RESOURCES:
            resource = resources.by_name(name)
            where = f"{address}/{name}.csv"
            found = source_settings.parse(made, resource, where, None, None)
            source_settings.save(connection, made, found)
    return made


def _measure(count: int, made: Sequence[Organization]) -> float:
    """Return the median of the seconds that runs waited for one of so many workers."""
    command = [sys.executable, str(ROOT / "worker.py")]
    workers = [subprocess.Popen(command, cwd=ROOT) for _ in range(count)]
    try:
        _wait(lambda: queue.workers() == count)
        first = min(
            syncs.start(organization, name, ANA, "benchmark").id
            for name in RESOURCES
            for organization in made
        )
        _wait(lambda: _ask("select id from runs where finished_at is null") == [])
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(20)
    if wrong := _ask("select message from runs where status <> 'completed'"):
        raise RuntimeError(f"runs that should have been completed: {wrong}")
    waits: list[float] = _ask(WAITS, first=first)
    print(f"{count} workers: {len(waits)} runs, the last waited {max(waits):.1f} s", flush=True)
    return median(waits)


def _ask(query: str, **facts: object) -> list[Any]:
    with db.everywhere() as connection:
        return list(connection.execute(sa.text(query), facts).scalars())


def _wait(comes_true: Callable[[], bool]) -> None:
    while not comes_true():
        time.sleep(0.1)


if __name__ == "__main__":
    main()
