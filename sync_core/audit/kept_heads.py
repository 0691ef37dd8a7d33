"""Whether every head that was ever kept of a chain still is a link of it.

Heads are kept by each check of the chain, in the manifest of each file that left the program, and
in the file of heads outside. Who owns the tables may rewrite a chain so that every link follows
from the one before it, or cut off its end; but then a head that was kept is no link any more.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.audit import heads
from sync_core.foundation import settings
from sync_core.organizations import Organization

MOST = 1 << 63  # a link's number is below

log = logging.getLogger("syncdesk.heads")


class Kept(NamedTuple):
    """A head that was kept: the number of the link, its hash in hexadecimal, and who kept it."""

    link: int
    hash: str
    by: str


_INSIDE = """
select links as link, encode(head, 'hex') as hash,
       'the check of ' || to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' as by
from verifications where organization_id = :org and links > 0 and head is not null
union all
select (detail -> 'head' ->> 'link')::bigint, detail -> 'head' ->> 'hash',
       format('the manifest of the file %s (action %s)', detail ->> 'file', id)
from actions where organization_id = :org and kind in ('began an export', 'exported')
    and (detail -> 'head' ->> 'link')::bigint > 0
"""
_UNFIT = """
select k.place - 1 as place, l.number is null as gone
from unnest(cast(:links as bigint[]), cast(:hashes as text[])) with ordinality k (link, hash, place)
left join links l on l.organization_id = :org and l.number = k.link
where l.number is null or encode(l.hash, 'hex') <> k.hash order by k.place
"""
_LAST = "select coalesce(max(number), 0) from links where organization_id = :org"


def gaps(connection: Connection, organization: Organization) -> list[str]:
    """Compare every head that was kept with the links: say what was rewritten, and what cut off.

    A link that is gone from between others is left to the walk along the chain.
    """
    kept = sorted({*_inside(connection, organization), *_outside(organization)})
    links, hashes = [one.link for one in kept], [one.hash for one in kept]
    facts = {"org": organization.id, "links": links, "hashes": hashes}
    unfit = connection.execute(sa.text(_UNFIT), facts).all()
    last = connection.execute(sa.text(_LAST), facts).scalar_one()
    changed = [kept[row.place] for row in unfit if not row.gone]
    cut = [kept[row.place] for row in unfit if row.gone and links[row.place] > last]
    fitting = set(links) - {links[row.place] for row in unfit}
    return [*_rewritten(changed, fitting), *_cut_off(cut, last)]


def _inside(connection: Connection, organization: Organization) -> Iterator[Kept]:
    for row in connection.execute(sa.text(_INSIDE), {"org": organization.id}):
        yield Kept(*row)


def _outside(organization: Organization) -> Iterator[Kept]:
    """Read the file of heads, if one is set; that it cannot be read is told in the log."""
    path = settings.current().heads_file
    if path is None or not path.exists():
        return
    try:
        yield from _lines(path, organization)
    except OSError as error:
        log.error("the heads of the audit cannot be read in %s: %s", path, error.strerror)  # noqa: TRY400 - the sentence says all


def _lines(path: Path, organization: Organization) -> Iterator[Kept]:
    slug = f'"{organization.slug}"'.encode()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            noted = heads.read(line) if slug in line else None
            if noted and noted["organization"] == organization.slug and _is_head(noted):
                yield Kept(noted["link"], noted["head"], f"line {number} of the file of heads")


def _is_head(noted: Mapping[str, Any]) -> bool:
    return 0 < noted["link"] < MOST and re.fullmatch("[0-9a-f]{64}", noted["head"]) is not None


def _rewritten(changed: Sequence[Kept], fitting: set[int]) -> Iterator[str]:
    """Tell between which links a chain was rewritten: its kept heads have other hashes now."""
    if changed:
        first = changed[0]
        good = max((link for link in fitting if link < first.link), default=0)
        told = f"link {first.link} has another hash than {first.by} has kept, so at least one of"
        told += f" links {good + 1} to {first.link} was rewritten"
        yield told


def _cut_off(cut: Sequence[Kept], last: int) -> Iterator[str]:
    """Tell how many links there were after the last one, at least."""
    if cut:
        far = cut[-1]
        several = far.link > last + 1
        which = f"links {last + 1} to {far.link} are" if several else f"link {far.link} is"
        yield f"{which} gone from the end: {far.by} has kept the last of them"
