"""Let Alembic write a migration from the tables and the catalogue: `make migration MESSAGE=...`."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from sync_core.foundation import db, embedded, revisions

RUFF = Path(sys.executable).with_name("ruff")


def main(message: str) -> None:
    """Compare the tables with a database of all revisions, and write the next one."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SYNCDESK_DATA": folder, "DATABASE_URL": "", "REDIS_URL": ""}
        db.prepare()
        with db.as_owner() as connection:
            number = len(list(db.MIGRATIONS.glob("versions/*.py"))) + 1
            config = revisions.config(connection)
            command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")
        db.engine().dispose()
        embedded.release(10)
    (written,) = db.MIGRATIONS.glob(f"versions/{number:04d}_*.py")
    subprocess.run([RUFF, "format", "--quiet", written], check=True)  # noqa: S603 - our own tool
    print(f"Wrote {written}: read it before you commit it.")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or sys.exit("Name it: make migration MESSAGE=rooms"))
