"""Serve the made-up account of the demo until ended, and print the settings that lead there.

`python -m sync_core.demo_cliniko FOLDER [--patients 60000 --appointments 115000]`
"""

import argparse
import secrets
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sync_core.demo_cliniko.account import APPOINTMENTS, PATIENTS, Account
from sync_core.demo_cliniko.server import Cliniko


def main() -> None:
    """Serve, on a free port of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="keeps the day on which it was made up")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    parser.add_argument("--appointments", type=int, default=APPOINTMENTS)
    given = parser.parse_args()
    account = Account(given.patients, given.appointments, today=made_on(given.folder))
    key = f"{secrets.token_hex(24)}-au1"
    with Cliniko() as cliniko:
        cliniko.add(key, account)
        print(f"CLINIKO_BASE_URL={cliniko.url}")  # noqa: T201 - read by whoever started it
        print(f"CLINIKO_API_KEY_DEMO={key}", flush=True)  # noqa: T201
        threading.Event().wait()


def made_on(folder: Path) -> datetime:
    """Give the day of the account, which stays: from then on its appointments come and go."""
    path = folder / "cliniko-made-on.txt"
    try:
        return datetime.fromisoformat(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        now = datetime.now(UTC).replace(microsecond=0)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{now.isoformat()}\n", encoding="utf-8")
        return now


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
