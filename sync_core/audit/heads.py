"""The file of heads: the ends of the audit's chains, noted where who changes the database cannot.

Maintenance appends a line of JSON for each new head (`SYNCDESK_HEADS_FILE`); nothing here changes
what stands there. Whoever rewrites a chain as a whole is found by `check`.
"""

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.foundation import db, settings

TAIL = 1 << 20  # bytes at the end of the file that are read, to see what was noted last

log = logging.getLogger("syncdesk.heads")

_HEADS = """
select o.slug, l.number, l.kind, l.subject_id, encode(l.hash, 'hex') as hash
from organizations o cross join lateral (
    select * from links l where l.organization_id = o.id order by number desc limit 1
) l order by o.id
"""


def latest(connection: Connection, organization_id: int) -> str | None:
    """Return the line of an organization's head, as the file holds it; None before there is one."""
    query = sa.text(_HEADS.replace(" order by o.id", " where o.id = :organization"))
    head = connection.execute(query, {"organization": organization_id}).one_or_none()
    return _line(head).rstrip("\n") if head else None


class HeadsFile:
    """Appends to the file of heads; that it cannot be written is told once, and stops nothing."""

    def __init__(self) -> None:
        self._noted: dict[str, str] | None = None  # by organization, the head that was noted last
        self._told = ""

    def keep(self) -> None:
        """Note the heads that are new, if a file is set. Raises where Postgres does not answer."""
        path = settings.current().heads_file
        if path is None:
            return
        with db.everywhere() as connection:
            heads = connection.execute(sa.text(_HEADS)).all()
        try:
            if self._noted is None:
                self._noted = _last(path)
            new = [head for head in heads if self._noted.get(head.slug) != head.hash]
            if new:
                _append(path, "".join(map(_line, new)))
        except OSError as error:
            self._tell(path, error)
            return
        self._told = ""
        self._noted |= {head.slug: head.hash for head in new}

    def _tell(self, path: Path, error: OSError) -> None:
        self._noted = None  # the file may be another one when it is back
        if self._told != str(error):
            log.error("the heads of the audit cannot be written to %s: %s", path, error.strerror)
        self._told = str(error)


def _line(head: sa.Row[Any]) -> str:
    noted = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "organization": head.slug,
        "link": head.number,
        head.kind: head.subject_id,
        "head": head.hash,
    }
    return f"{json.dumps(noted)}\n"


def _append(path: Path, lines: str) -> None:
    """Append the lines by one write, after whatever was left half-written."""
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        broken_off = end > 0 and file.read(1) != b"\n"
        file.write((b"\n" if broken_off else b"") + lines.encode())
        file.flush()
        os.fsync(file.fileno())


def _last(path: Path) -> dict[str, str]:
    """Return the last head of each organization in the file."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        found = (read(line) for line in file)
        return {one["organization"]: one["head"] for one in found if one}


def read(line: bytes) -> dict[str, Any] | None:
    """Return what a line says; None where it says nothing that can be compared."""
    try:
        noted = json.loads(line)
        texts = noted["organization"], noted["head"]
        is_whole = all(isinstance(one, str) for one in texts) and type(noted["link"]) is int
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return noted if is_whole else None


_IS_A_LINK = """
select encode(l.hash, 'hex') from links l join organizations o on o.id = l.organization_id
where o.slug = :organization and l.number = :link
"""


def check(connection: Connection, path: Path) -> tuple[int, list[str]]:
    """Compare each line of a file of heads with the chains.

    Returns how many lines fit, and a sentence for each that does not. Raises OSError.
    """
    fitting, wrong = 0, []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            told = _compared(connection, read(line))
            if told:
                wrong.append(f"Line {number}: {told}")
            else:
                fitting += 1
    return fitting, wrong


def _compared(connection: Connection, noted: dict[str, Any] | None) -> str | None:
    """Return what is wrong with a noted head; None where it still is a link."""
    if noted is None:
        return "it cannot be read."
    found = connection.execute(sa.text(_IS_A_LINK), noted).scalar()
    where = f"link {noted['link']} of {noted['organization']!r}"
    if found is None:
        return f"there is no {where} any more."
    return None if found == noted["head"] else f"{where} has another hash: the chain was rewritten."
