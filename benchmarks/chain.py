"""Measure what proofs cost, and the checks of the audit's chain: `python -m benchmarks.chain`.

First loads with and without the hashes over their outcomes, in turns; then a chain of a million
links, walked as a whole, and from where the last walk ended.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median

DATA = Path(tempfile.mkdtemp(prefix="syncdesk-benchmark-"))
for name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(name, None)
os.environ["SYNCDESK_DATA"] = str(DATA / "servers")
os.environ["SYNCDESK_COOLDOWN"] = "0.001"

from benchmarks import candidates, data, trail
from benchmarks.engine import _apart, _settle
from sync_core.audit import hash_chain
from sync_core.catalogue import fields
from sync_core.engine import apply
from sync_core.foundation import db, embedded, settings
from sync_core.organizations import Organization, actions
from sync_core.organizations.actions import SignedIn
from tests.support import owner

LINK = """
do $$
declare
    one record;
begin
    for one in
        select 'run' as kind, id, finished_at as at from runs where organization_id = {org}
        union all select 'action', id, at from actions where organization_id = {org}
        order by at, kind, id
    loop
        perform add_link({org}, one.kind, one.id);
    end loop;
end $$
"""


def main() -> None:
    """Measure both, and print what was found."""
    options = _options()
    fields.warm_up()
    try:
        settings.urls()
        _apart(db.prepare)
        DATA.chmod(0o755)
        if options.rows:
            _measure_loads(options.rows, options.repeat)
        if options.runs:
            _measure_walks(options.runs)
    finally:
        embedded.release(20)
        shutil.rmtree(DATA, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure proofs and the audit's chain.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of a first load; 0: none")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--runs", type=int, default=560_000, help="and nearly as many actions")
    return parser.parse_args()


# First loads


def _measure_loads(rows: int, repeat: int) -> None:
    first, _ = data.write(DATA, rows)
    ours = candidates.everyone(slow=False)[1]
    ways: dict[str, Callable[[], float]] = {
        "with hashes": lambda: ours.load(first),
        "without": lambda: _without_hashes(lambda: ours.load(first)),
    }
    seconds = defaultdict(list)
    for turn in range(repeat + 1):  # the first one warms the servers up
        for way in sorted(ways, reverse=turn % 2 == 1):
            _apart(ours.empty)
            seconds[way].append(_apart(ways[way]))
            _apart(lambda: _settle(ours, rows))
            print(f"{rows:,} rows {way}: {seconds[way][-1]:.2f} s", file=sys.stderr)
    found = {way: median(seconds[way][1:]) for way in ways}
    for way, took in found.items():
        print(f"{rows:,} rows {way}: {took:.2f} s, {took / found['without']:.3f}x", flush=True)


def _without_hashes(load: Callable[[], float]) -> float:
    """Load as if nothing was hashed, in a process of its own."""
    setattr(apply, "_batches_of_outcomes", lambda *_: [])  # noqa: B010 - not for mypy
    return load()


# The chain


def _measure_walks(runs: int) -> None:
    organization = trail.fill(runs)
    with owner.connect() as connection:
        took = _timed(lambda: connection.execute(LINK.format(org=organization.id).encode()))
        connection.execute("vacuum (analyze) links")
    with db.within(organization.id) as connection:
        links, _ = hash_chain.head(connection, organization.id)
    print(f"{links:,} links, each added in {took / links * 1e6:.0f} us", flush=True)
    print(f"verify all: {_timed(lambda: _verify(organization)):.1f} s", flush=True)
    with db.everywhere() as connection:
        actions.record(connection, organization.id, candidates.ANA, SignedIn())
    took = _timed(lambda: _verify(organization, since_last=True))
    print(f"verify from where the last one ended: {took:.2f} s", flush=True)


def _verify(organization: Organization, *, since_last: bool = False) -> None:
    with db.everywhere() as connection:
        verdict = hash_chain.verify(connection, organization, since_last=since_last)
        hash_chain.keep(connection, organization, verdict)
    if verdict.broken:
        raise RuntimeError(verdict.broken)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
