"""What the API serves, and what those cost who follow runs: `python -m benchmarks.api`.

The API stands alone in a process of its own, as uvicorn runs it, with servers in a folder of its
own; who asks is another process. The last figure goes from a click to what a reader hears of it.
"""

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import psutil

FOLDER = tempfile.mkdtemp(prefix="syncdesk-benchmark-")
os.environ |= {
    "SYNCDESK_DATA": FOLDER,
    "SYNCDESK_API_RATE": "1000000",
    "SYNCDESK_COOLDOWN": "0.001",
}

from sync_core import organizations
from sync_core.api import live
from sync_core.catalogue import resources
from sync_core.foundation import db, embedded, redis_clients
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.organizations import source_settings, tokens
from sync_core.organizations.people import Person
from sync_core.runs.progress import Reporter
from tests.support.desk import own_folder

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")
SECONDS, AT_ONCE = 5.0, 4  # of each address, and how many ask at the same time


@contextmanager
def served() -> Iterator[tuple[str, psutil.Process]]:
    """Serve the API alone; returns its address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["uvicorn", "--factory", "sync_core.api.app:alone", "--port", str(port)]
    words += ["--log-level", "warning"]
    serving = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while not answers(address) and time.monotonic() < until:
            time.sleep(0.1)
        yield address, psutil.Process(serving.pid)
    finally:
        serving.terminate()
        serving.wait(30)


def answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def prepare() -> str:
    """Make an organization with a source and a thousand runs; returns a token of it."""
    db.prepare()
    sheet = own_folder("bench") / "locations.csv"
    labels = [field.label for field in resources.ENTITIES["locations"].fields]
    sheet.write_text(",".join(labels) + "\n" + f"L1,Harbor Clinic{',' * (len(labels) - 2)}\n")
    with db.everywhere() as connection:
        of = organizations.add(connection, "bench", "Northwind Care")
        secret = tokens.add(connection, of.id, ANA, "Benchmark", Role.ADMIN)
        found = source_settings.parse(of, resources.by_name("locations"), "folder:.", None, None)
        source_settings.save(connection, of, found)
        db.cursor(connection).execute(
            "insert into runs (organization_id, resource, trigger, status, requested_by,"
            " requested_email, started_at, finished_at) select %s, 'locations', 'benchmark',"
            " 'cancelled', 'Ana Ruiz', %s, now(), now() from generate_series(1, 1000)",
            [of.id, ANA.email],
        )
    return secret


def cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


async def requests(server: psutil.Process, client: httpx2.AsyncClient, path: str) -> None:
    """Ask for an address as often as it is answered, and print how often that is."""
    took: list[float] = []
    until, before, start = time.monotonic() + SECONDS, cpu(server), time.monotonic()

    async def ask() -> None:
        while time.monotonic() < until:
            begun = time.perf_counter()
            (await client.get(path)).raise_for_status()
            took.append(time.perf_counter() - begun)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    seconds, used = time.monotonic() - start, cpu(server) - before
    print(
        f"{path}: {len(took) / seconds:.0f} requests/s, {1000 * used / len(took):.1f} ms CPU each,"
        f" p50 {1000 * statistics.median(took):.0f} ms,"
        f" p95 {1000 * statistics.quantiles(took, n=20)[-1]:.0f} ms"
    )


class Stream:
    """A reader of the events of a run, over a connection of its own."""

    def __init__(self, address: str, secret: str) -> None:
        self._host, self._port = address.removeprefix("http://").split(":")
        self._secret = secret

    async def open(self, run_id: int) -> None:
        """Open it, and read its first event."""
        self.reader, self.writer = await asyncio.open_connection(self._host, int(self._port))
        asked = (
            f"GET /api/v1/runs/{run_id}/events HTTP/1.1\r\nhost: {self._host}\r\n"
            f"authorization: Bearer {self._secret}\r\n\r\n"
        )
        self.writer.write(asked.encode())
        await self.reader.readuntil(b"event: run")

    async def heard(self, word: bytes) -> float:
        """Read up to a word; returns when it was heard."""
        await self.reader.readuntil(word)
        return time.perf_counter()


async def streams(
    server: psutil.Process, client: httpx2.AsyncClient, address: str, secret: str, many: int
) -> None:
    """Open streams of a run that waits, let its log grow, and end it; print what they cost."""
    told = (await client.post("/api/v1/runs", json={"resource": "locations"})).json()
    before, start, used = server.memory_info().rss, time.monotonic(), cpu(server)
    readers, gate = [Stream(address, secret) for _ in range(many)], asyncio.Semaphore(20)

    async def begin(one: Stream) -> None:
        async with gate:
            await one.open(told["id"])

    await asyncio.gather(*map(begin, readers))
    opened, opening = time.monotonic() - start, cpu(server) - used
    await asyncio.sleep(2)
    memory = (server.memory_info().rss - before) / many
    idle, start = cpu(server), time.monotonic()
    await asyncio.sleep(10)
    quiet = 100 * (cpu(server) - idle) / (time.monotonic() - start)
    print(
        f"{many} streams: opened in {opened:.1f} s ({1000 * opening / many:.1f} ms CPU each),"
        f" {memory / 1024:.0f} kB each, {quiet:.1f} % of a core while nothing happens"
    )
    busy = await talking(server, told["id"], readers)
    print(f"{many} streams that hear a line a second: {busy:.1f} % of a core")
    clicked = time.perf_counter()
    ending = asyncio.gather(*(one.heard(b"event: end") for one in readers))
    (await client.post(f"/api/v1/runs/{told['id']}/cancel")).raise_for_status()
    heard = sorted(at - clicked for at in await ending)
    print(f"cancelled: the first heard it after {heard[0]:.2f} s, the last after {heard[-1]:.2f} s")
    for one in readers:
        one.writer.close()


async def talking(server: psutil.Process, run_id: int, readers: list[Stream]) -> float:
    """Write a line a second into the log of the run; returns the part of a core that it costs."""
    reporter = Reporter(redis_clients.client(), run_id, 1)
    used, start = cpu(server), time.monotonic()
    for number in range(10):
        await asyncio.to_thread(reporter.log, f"line-{number}.")
        await asyncio.sleep(1)
    await asyncio.gather(*(one.heard(b"line-9.") for one in readers))
    return 100 * (cpu(server) - used) / (time.monotonic() - start)


async def clicks(client: httpx2.AsyncClient, address: str, secret: str) -> None:
    """Start and cancel runs; print how long it takes until a reader hears of it."""
    first: list[float] = []
    changed: list[float] = []
    for _ in range(15):
        start = time.perf_counter()
        told = (await client.post("/api/v1/runs", json={"resource": "locations"})).json()
        one = Stream(address, secret)
        await one.open(told["id"])
        first.append(time.perf_counter() - start)
        start = time.perf_counter()
        (await client.post(f"/api/v1/runs/{told['id']}/cancel")).raise_for_status()
        changed.append(await one.heard(b"event: end") - start)
        one.writer.close()
        await asyncio.sleep(0.05)
    for name, took in (("first event of a run", first), ("event of a change", changed)):
        print(
            f"from a click to the {name}: p50 {1000 * statistics.median(took):.0f} ms,"
            f" p95 {1000 * statistics.quantiles(took, n=20)[-1]:.0f} ms"
        )


async def measure(address: str, server: psutil.Process, secret: str, many: int) -> None:
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        for path in (
            "/healthz",
            "/api/v1/organizations",
            "/api/v1/runs/1",
            "/api/v1/runs?limit=50",
        ):
            await requests(server, client, path)
        await clicks(client, address, secret)
        await streams(server, client, address, secret, many)


def main() -> None:
    """Serve, measure, and leave nothing behind."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--streams", type=int, default=live.MOST)
    many = asked.parse_args().streams
    try:
        secret = prepare()
        with served() as (address, server):
            asyncio.run(measure(address, server, secret, many))
    finally:
        db.engine().dispose()
        embedded.release(10)
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
