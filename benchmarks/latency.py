"""Measure the time from a click to the worker's claim: `python -m benchmarks.latency`.

A real worker beside us, with a tiny sheet; each run is started when the one before has ended.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_COOLDOWN"] = "0.001"

from sync_core import organizations, runs
from sync_core.catalogue import resources
from sync_core.foundation import db, embedded
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run
from tests.support.desk import own_folder

ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN)


def main() -> None:
    """Measure, and print medians and the worst of twenty."""
    parser = argparse.ArgumentParser(description="Measure the time from a click to the claim.")
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        os.environ["SYNCDESK_DATA"] = str(Path(folder, "servers"))
        db.prepare()
        worker = subprocess.Popen([sys.executable, ROOT / "worker.py"], cwd=ROOT)
        try:
            organization = _organization()
            _click(organization)  # the first waits for the worker's imports
            _print([_click(organization) for _ in range(options.runs)])
        finally:
            worker.terminate()
            worker.wait(20)
            embedded.release(20)


def _organization() -> Organization:
    (own_folder("demo") / "admins.csv").write_text(
        "Email,Name,Role,Team,Active\nada@example.org,Ada,,,\n"
    )
    with db.everywhere() as connection:
        organization = organizations.add(connection, "demo", "Demo")
        admins = resources.by_name("admins")
        found = source_settings.parse(organization, admins, "folder:.", None, None)
        source_settings.save(connection, organization, found)
    return organization


def _click(organization: Organization) -> list[float]:
    """Return the seconds from a click to the page's answer, to the claim, and to the end."""
    clicked = time.time()
    run = syncs.start(organization, "admins", ANA, "benchmark")
    answered = time.time()
    while run.active:
        time.sleep(0.02)
        run = _read(run)
    time.sleep(0.05)
    moments = [moment.timestamp() for moment in (run.started_at, run.finished_at) if moment]
    return [moment - clicked for moment in (answered, *moments)]


def _read(run: Run) -> Run:
    with db.everywhere() as connection:
        return runs.get(connection, run.organization_id, run.id)


def _print(measured: Sequence[Sequence[float]]) -> None:
    for what, seconds in zip(("answer", "claim", "end"), zip(*measured, strict=True), strict=True):
        half, worst = median(seconds) * 1000, quantiles(seconds, n=20)[-1] * 1000
        print(f"click to {what:6}  median {half:4.0f} ms, 95 % within {worst:4.0f} ms")


if __name__ == "__main__":
    main()
