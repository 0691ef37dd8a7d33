"""The audit's chain: what it covers, and whether it is whole.

Triggers link every ended run and every action of an organization at the commit that ends or
records it: the link keeps the SHA-256 of all that the row says (a run's tallies and attempts
included, `content_of` in Postgres), and hashes it together with the link before. So no byte can
change, and nothing in between can go or be added, without a break. Who rewrites the rows and all
links after them as Postgres' superuser is found by a head that was noted elsewhere: exports carry
it, and `syncdesk verify` prints it.

The outcomes of a run are covered by two digests in its tallies, taken in the transaction that
stores them (`DIGESTS`): one of the facts that stay, and one of the values, which may be dropped
later and count only while they are there. A digest is the number of the rows and the sum of their
64-bit hashes: half a second at a million rows, where SHA-256 would take three times as long. A
change goes unseen by a chance of one in 2^64, or where Postgres takes old and new for equal (1 and
1.0); but it is no cryptographic hash: who may write past the triggers can look for rows with that
sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations
from sync_core.foundation import db, tables
from sync_core.organizations import Organization, actions
from sync_core.records.outcome_format import DIGESTS, NOTHING

NIGHT = timedelta(hours=2)  # after midnight in the organization's time zone


@dataclass(frozen=True)
class Verdict:
    """What a walk along the chain of an organization has found."""

    at: datetime  # all that had ended before is verified
    links: int
    head: bytes | None  # the hash of the last link
    broken: str | None  # the first broken link, in a sentence


# Walking


def verify(connection: Connection, organization: Organization) -> Verdict:
    """Walk the chain of the organization, in Postgres: flat memory at any length."""
    at = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    connection.execute(sa.text("set local jit = off"))
    kept = tables.links.c
    last = connection.execute(
        sa.select(kept.number, kept.hash)
        .where(kept.organization_id == organization.id)
        .order_by(kept.number.desc())
        .limit(1)
    ).one_or_none()
    breaks = [found for look in LOOKS for found in look(connection, organization)]
    told = min(breaks)[1] if breaks else None
    number, head = (int(last.number), bytes(last.hash)) if last else (0, None)
    return Verdict(at, number, head, told)


Break = tuple[float, str]  # the number of the link, and what is wrong with it

_WALK = """
select * from (
    select number, kind, subject_id,
           lag(number, 1, 0::bigint) over chain as before,
           hash <> hash_of_link(lag(hash) over chain, organization_id, number, kind, subject_id,
                                content) as rewritten,
           content_of(kind, subject_id) as now, content
    from links where organization_id = :org window chain as (order by number)
) walked
where number <> before + 1 or rewritten or now is distinct from content
order by number limit 1
"""


def _walk(connection: Connection, organization: Organization) -> Iterator[Break]:
    """Find the first link that does not fit the one before it, or what it stands for."""
    for row in connection.execute(sa.text(_WALK), {"org": organization.id}):
        what = f"{row.kind} {row.subject_id}"
        if row.number != row.before + 1:
            yield row.before + 1, f"link {row.before + 1} is gone"
        elif row.rewritten:
            yield row.number, f"link {row.number} ({what}) does not follow from the one before it"
        elif row.now is None:
            yield row.number, f"link {row.number}: {what} is gone"
        else:
            yield row.number, f"link {row.number}: {what} is not as it was when it was linked"


_UNLINKED = """
select 'run' as kind, id from runs where organization_id = :org and finished_at is not null
    and not exists (select from links where kind = 'run' and subject_id = runs.id)
union all
select 'action', id from actions where organization_id = :org
    and not exists (select from links where kind = 'action' and subject_id = actions.id)
limit 1
"""


def _unlinked(connection: Connection, organization: Organization) -> Iterator[Break]:
    """Find what never came into the chain: it was put there past the triggers."""
    for row in connection.execute(sa.text(_UNLINKED), {"org": organization.id}):
        yield float("inf"), f"{row.kind} {row.id} was added without a link"


_OUTCOMES = f"""
select l.number, kept.run_id, kept.entity, facts_digest <> kept.facts as facts
from (
    select run_id, entity, t.facts_digest, t.values_digest,
           coalesce(o.facts_digest, '{NOTHING}') as facts,
           coalesce(o.values_digest, '{NOTHING}') as values
    from tallies t left join (
        select run_id, entity, {DIGESTS} from outcomes
        where run_id in (select id from runs where organization_id = :org)
        group by run_id, entity
    ) o using (run_id, entity)
    where t.facts_digest is not null
) kept
join runs r on r.id = kept.run_id and r.organization_id = :org
join links l on l.kind = 'run' and l.subject_id = r.id
where facts_digest <> kept.facts or (values_digest <> kept.values and r.finished_at >= :whole)
order by l.number limit 1
"""  # noqa: S608 - of our own columns


def _outcomes(connection: Connection, organization: Organization) -> Iterator[Break]:
    """Find a run whose outcomes are not those of its end; dropped values are not missed."""
    facts = {"org": organization.id, "whole": actions.whole_since(connection, organization.id)}
    for row in connection.execute(sa.text(_OUTCOMES), facts):
        what = "outcomes" if row.facts else "values in the outcomes"
        told = f"the {what} of run {row.run_id} ({row.entity}) are not those of its end"
        yield row.number, f"link {row.number}: {told}"


_STRANGE = """
select o.run_id from (select distinct run_id, entity from outcomes) o
join runs r on r.id = o.run_id and r.organization_id = :org and r.finished_at is not null
where not exists (select from tallies t where t.run_id = o.run_id and t.entity = o.entity)
limit 1
"""


def _strange(connection: Connection, organization: Organization) -> Iterator[Break]:
    """Find outcomes of something that a run did not count."""
    for row in connection.execute(sa.text(_STRANGE), {"org": organization.id}):
        yield float("inf"), f"outcomes were added to run {row.run_id}"


LOOKS = (_walk, _unlinked, _outcomes, _strange)


def holds(connection: Connection, organization: Organization, head: str) -> bool:
    """Return whether a head that was noted elsewhere, in hexadecimal, still is a link."""
    kept = tables.links.c
    hashed = sa.func.encode(kept.hash, "hex")
    which = (kept.organization_id == organization.id, hashed == head.strip().lower())
    return connection.execute(sa.select(kept.number).where(*which)).first() is not None


# Dropping old values


# Every night

_DUE = """
select slug from organizations o where not exists (
    select from verifications v where v.organization_id = o.id and v.at >= (
        date_trunc('day', now() at time zone o.time_zone - :night) + :night
    ) at time zone o.time_zone
) order by id
"""
_ONE_AT_A_TIME = 1_937_337_956  # the advisory lock of whoever verifies by night


def verify_by_night() -> list[str]:
    """Verify the organizations that were not verified since 2 o'clock at night, their time.

    Safe where maintenance runs twice: one does it. Returns what is broken, a sentence for each.
    """
    broken = []
    for slug in _due():
        with db.begin() as connection:
            lock = sa.select(sa.func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))
            if not connection.execute(lock).scalar_one() or slug not in _due(connection):
                continue
            organization = organizations.get(connection, slug)
            verdict = verify(connection, organization)
            keep(connection, organization, verdict)
        if verdict.broken:
            broken.append(f"{organization.name}: {verdict.broken}")
    return broken


def _due(connection: Connection | None = None) -> list[str]:
    if connection is None:
        with db.begin() as own:
            return _due(own)
    return list(connection.execute(sa.text(_DUE), {"night": NIGHT}).scalars())


def keep(connection: Connection, organization: Organization, verdict: Verdict) -> None:
    """Keep the verdict, for the pages."""
    connection.execute(
        sa.insert(tables.verifications).values(
            organization_id=organization.id,
            at=verdict.at,
            links=verdict.links,
            head=verdict.head,
            broken=verdict.broken,
        )
    )


def latest(connection: Connection, organization_id: int) -> Verdict | None:
    """Return the last verdict that was kept."""
    kept = tables.verifications.c
    row = connection.execute(
        sa.select(kept.at, kept.links, kept.head, kept.broken)
        .where(kept.organization_id == organization_id)
        .order_by(kept.at.desc())
        .limit(1)
    ).one_or_none()
    return Verdict(*row) if row else None


def head(connection: Connection, organization_id: int) -> tuple[int, str]:
    """Return the number and the hash of the last link, for whoever notes it elsewhere."""
    kept = tables.links.c
    row = connection.execute(
        sa.select(kept.number, kept.hash)
        .where(kept.organization_id == organization_id)
        .order_by(kept.number.desc())
        .limit(1)
    ).one_or_none()
    return (int(row.number), bytes(row.hash).hex()) if row else (0, "")
