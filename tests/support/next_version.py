"""The program as it may be deployed next: a copy of it that knows one migration more."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sync_core.foundation import db
from sync_core.foundation.settings import ROOT

REVISION = "9999"
MIGRATION = '''"""Changes nothing but the revision."""

revision, down_revision, branch_labels, depends_on = "{of_next}", "{of_this}", None, None


def upgrade() -> None:
    pass
'''
MIGRATE = "from sync_core.foundation import db\nwith db.as_owner() as c: db.migrate(c)"


def make(folder: Path) -> Path:
    """Copy the program into a folder, with its migration; returns the folder."""
    shutil.copytree(ROOT / "sync_core", folder / "sync_core")
    shutil.copy2(ROOT / "worker.py", folder)
    text = MIGRATION.format(of_next=REVISION, of_this=db.newest_revision())
    (folder / "sync_core/migrations/versions/9999_of_tomorrow.py").write_text(text)
    return folder


def migrate(program: Path) -> None:
    """Bring the schema to the revision that the copy knows."""
    subprocess.run([sys.executable, "-c", MIGRATE], cwd=program, env=_path(program), check=True)


@contextmanager
def worker(program: Path) -> Iterator[None]:
    """Let a worker of the copy work for a while."""
    command: list[str | Path] = [sys.executable, program / "worker.py"]
    process = subprocess.Popen(command, cwd=program, env=_path(program))
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _path(program: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(program)}
