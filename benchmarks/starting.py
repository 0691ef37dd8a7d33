"""Measure how soon the shell answers: `python -m benchmarks.starting [--beside SYNCDESK]`.

A fresh demo, and each command five times in turn with the others: seconds of processor time and on
the wall, and how many times those of an interpreter that loads what asks Postgres and does nothing.
Beside them, if it is named, the `syncdesk` of another checkout, on the same database.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.browser import free_port, wait_until_it_answers

SYNCDESK = Path(sys.executable).with_name("syncdesk")
FLOOR = [sys.executable, "-c", "import psycopg, sqlalchemy.dialects.postgresql.psycopg"]
COMMANDS = ("--help", "status 1", "history", "history locations")
TURNS = 5


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--beside", type=Path, metavar="SYNCDESK")
    other = asked.parse_args().beside
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="syncdesk-benchmark-") as folder:
        environ = {**os.environ, "SYNCDESK_DATA": folder}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is loaded was compiled once
        up = subprocess.Popen([SYNCDESK, "up", "--port", str(port)], env=environ)
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/_stcore/health", up)
            _compare(environ, other)
        finally:
            up.terminate()
            up.wait(30)


def _compare(environ: dict[str, str], other: Path | None) -> None:
    ways = {"the libraries alone": FLOOR}
    for command in COMMANDS:
        ways[command] = [str(SYNCDESK), *command.split()]
        if other:
            ways[f"{command} (beside)"] = [str(other), *command.split()]
    took: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for turn in range(TURNS + 1):
        for way, words in ways.items():
            measured = _took(words, environ)
            if turn:  # the first one compiles, and warms the disk's cache
                took[way].append(measured)
    floor, _ = map(statistics.median, zip(*took["the libraries alone"], strict=True))
    load = os.getloadavg()[0]
    print(f"load {load:.1f}\n{'':28} {'processor':>10} {'wall':>7} {'times the libraries':>20}")
    for way, found in took.items():
        processor, wall = map(statistics.median, zip(*found, strict=True))
        print(f"{way:28} {processor:8.2f} s {wall:5.2f} s {processor / floor:19.2f}x")


def _took(words: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Run a command; returns its seconds of processor time, and on the wall."""
    before, start = os.times(), time.monotonic()
    subprocess.run(words, env=environ, stdout=subprocess.DEVNULL, check=True)
    after, wall = os.times(), time.monotonic() - start
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system, wall


if __name__ == "__main__":
    main()
