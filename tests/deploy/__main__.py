"""Deploy the program on ten machines, then kill, upgrade and cut off each while syncs go on.

    python -m tests.deploy                    # all of it; takes about a quarter of an hour
    python -m tests.deploy --only cut --cut 5

The machines are network namespaces; root is needed, and Debian's postgresql, redis-server or
valkey-server, haproxy, iproute2 and openssl. Prints a table of what was done and what was seen, and
broken promises; ends with 1 where there is any.
"""

import argparse
import os
import random
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sync_core.foundation import db, settings
from tests.chaos import verdict as chaos
from tests.chaos import witness
from tests.chaos.actors import Lane
from tests.deploy import machines, people, program, servers, sheets, verdict
from tests.deploy.faults import Fault, faults
from tests.deploy.program import Deployment
from tests.support import owner, watching
from tests.support.waiting import eventually

RECOVERY = 120  # seconds after which whoever is not well is told of
HEAD = (
    "what was done",
    "for",
    "no good answer for",
    "slowest answer",
    "requests without answer",
    "all well again after",
    "runs ended",
    "attempts interrupted",
)
ENDED_SINCE = "select count(*) from runs where finished_at > :since"
INTERRUPTED_SINCE = """
select count(*) from attempts where ended_at > :since and ended not in ('completed', 'partial')
"""


@dataclass(frozen=True)
class Crowd:
    """The people before the deployment."""

    pressers: Sequence[people.Presser]
    onlooker: people.Onlooker
    stop: threading.Event
    threads: Sequence[threading.Thread]

    def go(self) -> None:
        """Let nobody start anything any more."""
        self.stop.set()
        for thread in self.threads:
            thread.join(people.INSIST + people.PATIENCE)


def main() -> int:
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cut", type=float, default=30, help="seconds that a cut lasts")
    parser.add_argument("--only", default="", help="only what has this word in its name")
    options = parser.parse_args()
    if os.geteuid() != 0 or servers.missing():
        lacking = servers.missing() or ["root: it makes network namespaces"]
        print("This needs", ", ".join(lacking))
        return 2
    machines.stand_alone(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="syncdesk-deploy-") as folder:
        Path(folder).chmod(0o711)  # servers have users of their own
        return _test(Path(folder), options)


def _test(folder: Path, options: argparse.Namespace) -> int:
    logs = settings.ROOT / "test-results" / "deploy"
    logs.mkdir(parents=True, exist_ok=True)
    for old in logs.glob("*.log"):
        old.unlink()
    print("logs:", logs, flush=True)
    machines.set_up(folder)
    deployed = program.deploy(folder, logs)
    try:
        return _judge(deployed, folder, options)
    finally:
        deployed.stop()


def _judge(deployed: Deployment, folder: Path, options: argparse.Namespace) -> int:
    os.environ |= deployed.environment
    with owner.connect() as connection:
        witness.watch(connection.cursor())
    trust = ssl.create_default_context(cafile=str(deployed.authority))
    lanes = sheets.lanes(folder / "sheets", sheets.serve(folder / "sheets", folder))
    crowd = _gather(lanes, trust)
    wrong = _disturb(deployed, crowd, trust, options)
    wrong += people.guess_tokens(trust, next(iter(lanes)))
    crowd.go()
    wrong += _settle()
    every = [lane for of in lanes.values() for lane in of]
    accepted = [run for presser in crowd.pressers for run in presser.accepted]
    wrong += [sentence for presser in crowd.pressers for sentence in presser.wrong]
    wrong += verdict.violations(every, accepted)
    print(
        "runs:", dict(Counter(r[3] for r in watching.ask(verdict.RUNS))), "accepted:", len(accepted)
    )
    for sentence in wrong:
        print("BROKEN:", sentence)
    print(f"{len(accepted)} syncs accepted, {len(wrong)} broken promises")
    return 1 if wrong else 0


def _gather(lanes: dict[str, list[Lane]], trust: ssl.SSLContext) -> Crowd:
    stop = threading.Event()
    pressers = [
        people.Presser(token, of, trust, stop, random.Random(number))
        for number, (token, of) in enumerate(lanes.items())
    ]
    onlooker = people.Onlooker(next(iter(lanes)), trust, stop)
    threads = [threading.Thread(target=p.press_on, daemon=True) for p in pressers]
    threads.append(threading.Thread(target=onlooker.look_on, daemon=True))
    for thread in threads:
        thread.start()
    return Crowd(pressers, onlooker, stop, threads)


def _disturb(
    deployed: Deployment, crowd: Crowd, trust: ssl.SSLContext, options: argparse.Namespace
) -> list[str]:
    """Do one thing after the other, each once all is well; returns what was broken."""
    nothing = Fault("nothing, after the start", lambda: None)
    chosen = [fault for fault in faults(deployed, options.cut) if options.only in fault.name]
    _print_row(*HEAD)
    _print_row(*("---" for _ in HEAD))
    return [s for fault in (nothing, *chosen) for s in _do(fault, deployed, crowd, trust)]


def _do(fault: Fault, deployed: Deployment, crowd: Crowd, trust: ssl.SSLContext) -> list[str]:
    ((begun,),) = watching.ask("select clock_timestamp()")
    start = time.monotonic()
    fault.do()
    took = time.monotonic() - start
    over = eventually(lambda: watching.ask("select clock_timestamp()"), despite=db.ERRORS)[0][0]
    wrong = deployed.ended() + _recover(deployed, trust, over)
    well = time.monotonic() - start - took
    ((ended,),) = watching.ask(ENDED_SINCE, since=begun)
    ((interrupted,),) = watching.ask(INTERRUPTED_SINCE, since=begun)
    onlooker = crowd.onlooker
    blind, slowest = onlooker.blind(start), onlooker.slowest(start)
    seconds = [f"{s:.1f} s" for s in (took, blind, slowest, well)]
    counts = [str(n) for n in (onlooker.unanswered(start), ended, interrupted)]
    _print_row(fault.name, *seconds[:3], counts[0], seconds[3], *counts[1:])
    told = [f"after {fault.name}: {sentence}" for sentence in wrong]
    for sentence in told:
        print("  !", sentence, flush=True)
    return told


def _print_row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def _recover(deployed: Deployment, trust: ssl.SSLContext, since: object) -> list[str]:
    """Wait until all is well again; returns what is not."""
    until, told = time.monotonic() + RECOVERY, ["nothing was seen"]
    while told and time.monotonic() < until:
        time.sleep(0.3)
        try:
            told = verdict.not_well(deployed, trust, since)
        except db.ERRORS as error:
            told = [f"Postgres does not answer: {type(error).__name__}"]
    return told


def _settle() -> list[str]:
    """Wait until no run is active and nothing is left behind; returns what is."""

    def left() -> list[str]:
        active = watching.ask("select id, status from runs where finished_at is null")
        unended = [f"run {run} is still {status}" for run, status in active]
        return [*unended, *chaos.left_in_postgres(), *verdict.connections_of_nobody()]

    with suppress(TimeoutError):
        eventually(lambda: not left(), program.LIMIT)
    return left()


if __name__ == "__main__":
    sys.exit(main())
