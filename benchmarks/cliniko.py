"""Measure syncs of practices of several sizes: `python -m benchmarks.cliniko`.

A made-up Cliniko on loopback answers as slowly as the real one, within its limit of 200 requests a
minute. Each practice is synced in full, then once more for what changed.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ |= {"SYNCDESK_COOLDOWN": "0.001", "CLINIKO_CONTACT": "it@example.org"}

from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.demo import cliniko
from sync_core.demo.cliniko import Account, Answer, Request
from sync_core.execution import attempt
from sync_core.foundation import db, embedded, settings
from sync_core.foundation.settings import cliniko_variable
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.support.listener import Listener

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN)
DOCUMENTED = {50: "5 to 15 s", 300: "15 to 45 s", 648: "45 to 120 s"}  # what people were told
PER_PATIENT = 1247 / 648  # appointments


class Slow(cliniko.Cliniko):
    """Answers after a while."""

    delay = 0.25  # seconds

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        time.sleep(self.delay)
        return super().answer(request)


def main() -> None:
    """Measure each size, and print a line of it."""
    parser = argparse.ArgumentParser(description="Measure syncs of patients by practice size.")
    parser.add_argument("--patients", type=int, nargs="+", default=[50, 300, 648, 5_000])
    parser.add_argument("--delay", type=float, default=0.25, help="seconds until an answer")
    options = parser.parse_args()
    Slow.delay = options.delay
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder, Slow() as server:
        os.environ |= {"SYNCDESK_DATA": str(Path(folder, "servers"))}
        os.environ["CLINIKO_BASE_URL"] = server.url
        try:
            db.prepare()
            print("patients  appointments  first sync  documented    what changed  longest gap")
            for patients in options.patients:
                _measure(server, patients)
        finally:
            db.engine().dispose()
            embedded.release(20)


def _measure(server: Slow, patients: int) -> None:
    appointments = round(patients * PER_PATIENT)
    slug = f"clinic-{patients}"
    key = f"{slug}-of-a-benchmark-au1"
    server.add(key, Account(patients, appointments))
    os.environ[cliniko_variable(slug)] = key
    settings.current.cache_clear()
    with db.everywhere() as connection:
        organization = organizations.add(connection, slug, slug)
        found = source_settings.parse(
            organization, resources.by_name("patients"), "cliniko", None, None
        )
        source_settings.save(connection, organization, found)
    first, gap = _sync(organization)
    second, _ = _sync(organization)
    told = DOCUMENTED.get(patients, "")
    print(
        f"{patients:8,}  {appointments:12,}  {first.seconds:8.1f} s  {told:12}"
        f"  {second.seconds:10.1f} s  {gap:9.2f} s"
    )


def _sync(organization: Organization) -> tuple[Run, float]:
    """Sync once; returns the run, and the longest time without news of it in seconds."""
    run = syncs.start(organization, "patients", ANA, "benchmark")
    with Listener() as listener:
        began = time.time()
        attempt.work(run.id)
        ended = time.time()
    with db.everywhere() as connection:
        run = runs.get(connection, organization.id, run.id)
    if run.status != "completed":
        raise SystemExit(f"{run.status}: {run.message}")
    return run, _longest_gap([began, *(at for at, _ in listener.news), ended])


def _longest_gap(moments: Sequence[float]) -> float:
    return max(after - before for before, after in pairwise(moments))


if __name__ == "__main__":
    main()
