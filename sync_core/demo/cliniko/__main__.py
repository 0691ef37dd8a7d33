"""Serve the demo's made-up account until ended; a file says meanwhile which settings lead there.

`python -m sync_core.demo.cliniko FILE [--patients 60000 --appointments 115000]`
"""

import argparse
import os
import secrets
import signal
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sync_core.demo.cliniko.account import APPOINTMENTS, PATIENTS, Account
from sync_core.demo.cliniko.life import Life
from sync_core.demo.cliniko.server import Cliniko

GLANCE = 5.0  # seconds between two looks at what was due
LASTS = timedelta(days=28)  # later, too few of its first appointments would be to come


def main() -> None:
    """Serve on a free port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("settings", type=Path, help="a file, written again and removed at the end")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--appointments", type=int, default=APPOINTMENTS)
    given = parser.parse_args()
    given.settings.parent.mkdir(parents=True, exist_ok=True)
    today = made_on(given.settings.with_name("cliniko-made-on.txt"))
    serve(Account(given.patients, given.appointments, today=today), given.settings)


def serve(account: Account, settings: Path) -> None:
    """Let the account be read, and live on, until a signal comes."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: ended.set())
    life, key = Life(account), f"{secrets.token_hex(24)}-au1"
    life.catch_up(time.time())
    with Cliniko() as cliniko:
        cliniko.add(key, account)
        write(settings, f"CLINIKO_BASE_URL={cliniko.url}\nCLINIKO_API_KEY_DEMO={key}\n")
        print(f"The made-up Cliniko is at {cliniko.url}.", flush=True)  # noqa: T201
        while not ended.wait(GLANCE):
            cliniko.meanwhile(lambda: life.catch_up(time.time()))
        settings.unlink(missing_ok=True)


def made_on(path: Path) -> datetime:
    """Return the day of the account, which stays for some weeks: its appointments come and go."""
    now = datetime.now(UTC).replace(microsecond=0)
    with suppress(OSError, ValueError):
        kept = datetime.fromisoformat(path.read_text(encoding="utf-8").strip()).astimezone(UTC)
        if now - LASTS < kept <= now:
            return kept
    path.write_text(f"{now.isoformat()}\n", encoding="utf-8")
    return now


def write(path: Path, text: str) -> None:
    """Write a file for our own eyes, whole or not at all: it holds a key."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:  # noqa: PTH123 - by number
        file.write(text)
    new.replace(path)


if __name__ == "__main__":
    main()
