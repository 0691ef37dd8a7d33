"""The audit's chain: what it covers, and whether it is whole.

Triggers link every ended run and every action of an organization at the commit that ends or
records it: the link keeps the SHA-256 of all that the row says (a run's tallies and attempts
included, `content_of` in Postgres), and hashes it together with the link before. So no byte can
change, and nothing in between can go or be added, without a break. Who rewrites the rows and all
links after them as Postgres' superuser is found by a head that was kept (`audit.kept_heads`): each
check keeps one, exports carry it, the file of heads holds it, and `syncdesk verify` prints it.

The outcomes of a run are covered by the root of a tree of SHA-256 over them, made in the
transaction that stores them (`records.outcome_format`), which the link of the run hashes, too. So a
check names the batch in which something changed, and one row can be proved to somebody who has
nothing but a head (`audit.proofs`). Values may be dropped later; the hash that is left of them
counts only where the dropping is an action in the chain.

Links of the first form, from before there were such trees, are checked by what they hash: of
outcomes two digests in the run's tallies, sums of 64-bit hashes. These find every mistake, but who
may write past the triggers could look for rows with that sum.

A check from where the last one ended reads only what was linked since.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core import organizations
from sync_core.audit import bent, kept_heads
from sync_core.foundation import db, tables
from sync_core.organizations import Organization, actions
from sync_core.records import outcome_format
from sync_core.records.outcome_format import BATCH, DIGESTS, NOTHING

MEMORY = "96MB"  # of Postgres, to sort outcomes
NIGHT = timedelta(hours=2)  # after midnight in the organization's time zone


@dataclass(frozen=True)
class Verdict:
    """What a walk along the chain of an organization has found."""

    at: datetime  # all that had ended before is verified
    links: int
    head: bytes | None  # the hash of the last link
    broken: str | None  # the first broken link, in a sentence


# Walking


@dataclass(frozen=True)
class Start:
    """From where a walk goes on: all up to this link was verified at this moment."""

    link: int = 0
    at: datetime = datetime(1, 1, 1, tzinfo=UTC)


Break = tuple[float, str]  # the number of the link, and what is wrong with it
Look = Callable[[Connection, Organization, Start], Iterator[Break]]


def verify(
    connection: Connection, organization: Organization, *, since_last: bool = False
) -> Verdict:
    """Walk the chain of the organization, in Postgres: flat memory at any length.

    `since_last` walks from where the last walk ended, if it has found the chain whole.
    """
    at = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    connection.execute(sa.text(f"set local jit = off; set local work_mem = '{MEMORY}'"))
    start = _last(connection, organization) if since_last else Start()
    number, hashed = head(connection, organization.id)
    breaks = [found for look in LOOKS for found in look(connection, organization, start)]
    told = [min(breaks, key=lambda found: found[0])[1]] if breaks else []
    told += bent.found(connection)
    told += kept_heads.gaps(connection, organization)  # from wherever the walk went on
    return Verdict(at, number, bytes.fromhex(hashed) if number else None, "; ".join(told) or None)


def _last(connection: Connection, organization: Organization) -> Start:
    """Return where the last walk has ended, if all was whole and its head still is a link."""
    last = latest(connection, organization.id)
    if last is None or last.broken or last.head is None:
        return Start()
    kept = tables.links.c
    which = (kept.organization_id == organization.id, kept.number == last.links)
    hashed = connection.execute(sa.select(kept.hash).where(*which)).scalar()
    return Start(last.links, last.at) if hashed == last.head else Start()


_OUTCOMES = f"""
with checked as (
    select r.id as run_id, l.number as link from links l join runs r on r.id = l.subject_id
    where l.organization_id = :org and l.number > :since and l.kind = 'run'
        and r.organization_id = :org
)
select link, run_id, entity, number as batch, kept.root is null as added
from (
    select b.* from outcome_batches b where run_id in (select run_id from checked)
) kept full join ({
    outcome_format.batches(
        "(select o.* from outcomes o where run_id in (select run_id from checked) and not exists ("
        "select from tallies t where t.run_id = o.run_id and t.entity = o.entity"
        " and t.facts_digest is not null))",
        outcome_format.KEPT_VALUES,
    )
}
) found using (run_id, entity, number) join checked using (run_id)
where kept.root is distinct from found.root
order by link, entity, abs(number) limit 1
"""  # noqa: S608 - of our own columns


def _outcomes(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find the first batch of outcomes that is not as it was at the end of its run."""
    for row in connection.execute(
        sa.text(_OUTCOMES), {"org": organization.id, "since": start.link}
    ):
        which = f"({row.entity}, {_places(row.batch)})"
        if row.added:
            told = f"outcomes were added to run {row.run_id} {which}"
        else:
            told = f"the outcomes of run {row.run_id} {which} are not those of its end"
        yield row.link, f"link {row.link}: {told}"


def _places(batch: int) -> str:
    """Say in words which rows a batch holds."""
    first, after = batch << BATCH, batch + 1 << BATCH
    if batch < 0:  # they count downwards from -1
        return f"records without a row, {1 - after:,} to {-first:,} in the order of keys"
    return f"rows {max(1, first):,} to {after - 1:,}"


# The outcomes are read once: behind their wall Postgres might read them all again for each run.
_DROPPED = """
with dropped as materialized (
    select distinct run_id, entity from outcomes where values_hash is not null
)
select l.number, d.run_id, d.entity from links l
join runs r on r.id = l.subject_id and r.organization_id = :org and r.finished_at >= :whole
join dropped d on d.run_id = r.id
where l.organization_id = :org and l.number > :since and l.kind = 'run'
order by l.number limit 1
"""


def _dropped(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find values that were dropped without an action that says so."""
    whole = actions.whole_since(connection, organization.id)
    facts = {"org": organization.id, "since": start.link, "whole": whole}
    for row in connection.execute(sa.text(_DROPPED), facts):
        told = f"the values in the outcomes of run {row.run_id} ({row.entity}) were dropped"
        yield row.number, f"link {row.number}: {told}, and no action says so"


_DIGESTED = f"""
select l.number, kept.run_id, kept.entity, facts_digest <> kept.facts as facts
from (
    select run_id, entity, t.facts_digest, t.values_digest,
           coalesce(o.facts_digest, '{NOTHING}') as facts,
           coalesce(o.values_digest, '{NOTHING}') as values
    from tallies t left join (
        select run_id, entity, {DIGESTS} from outcomes
        where run_id in (
            select run_id from tallies join runs r on r.id = run_id
            where organization_id = :org and facts_digest is not null)
        group by run_id, entity
    ) o using (run_id, entity)
    where t.facts_digest is not null
) kept
join runs r on r.id = kept.run_id and r.organization_id = :org
join links l on l.kind = 'run' and l.subject_id = r.id and l.number > :since
where facts_digest <> kept.facts or (values_digest <> kept.values and r.finished_at >= :whole)
order by l.number limit 1
"""  # noqa: S608 - of our own columns


def _digested(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find a run of the first form whose outcomes are not those of its end."""
    if start.link >= _first_form(connection, organization):
        return
    whole = actions.whole_since(connection, organization.id)
    facts = {"org": organization.id, "since": start.link, "whole": whole}
    for row in connection.execute(sa.text(_DIGESTED), facts):
        what = "outcomes" if row.facts else "values in the outcomes"
        told = f"the {what} of run {row.run_id} ({row.entity}) are not those of its end"
        yield row.number, f"link {row.number}: {told}"


def _first_form(connection: Connection, organization: Organization) -> int:
    """Return the number of the last link of the first form; 0 where there is none."""
    kept = tables.links.c
    last = sa.select(sa.func.max(kept.number)).where(
        kept.organization_id == organization.id, kept.form == 1
    )
    return connection.execute(last).scalar_one() or 0


_WALK = """
select * from (
    select number, kind, subject_id,
           lag(number, 1, 0::bigint) over chain as before,
           hash <> case form
               when 1 then hash_of_link(lag(hash) over chain, organization_id, number, kind,
                                        subject_id, content)
               else hash_of_link(lag(hash) over chain, jumped, organization_id, number, jump, kind,
                                 subject_id, content)
           end as rewritten,
           content_of(kind, subject_id, form) as now, content
    from (
        select l.*, far.hash as jumped from links l
        left join links far on far.organization_id = :org and far.number = l.jump
        where l.organization_id = :org and l.number >= :since
    ) linked window chain as (order by number)
) walked
where number > :since and (number <> before + 1 or rewritten or now is distinct from content)
order by number limit 1
"""


def _walk(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find the first link that does not fit those before it, or what it stands for."""
    for row in connection.execute(sa.text(_WALK), {"org": organization.id, "since": start.link}):
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
    and finished_at >= :after
    and not exists (select from links where kind = 'run' and subject_id = runs.id)
union all
select 'action', id from actions where organization_id = :org and at >= :after
    and not exists (select from links where kind = 'action' and subject_id = actions.id)
limit 1
"""


def _unlinked(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find what never came into the chain: it was put there past the triggers."""
    facts = {"org": organization.id, "after": start.at}
    for row in connection.execute(sa.text(_UNLINKED), facts):
        yield float("inf"), f"{row.kind} {row.id} was added without a link"


_COUNTED = """
with counted as (
    select l.number, r.id, r.finished_at from links l join runs r on r.id = l.subject_id
    where l.organization_id = :org and l.number > :since and l.kind = 'run' and l.form > 1
        and r.organization_id = :org and r.finished_at >= :whole
), found as (
    select o.run_id, o.entity, code, count(*) as rows from counted join outcomes o
    on o.run_id = counted.id and o.kind = 'failed' cross join lateral (
        select distinct issue ->> 'code' as code from jsonb_array_elements(o.issues) issue
    ) issues group by 1, 2, 3
)
select number, kept.run_id, kept.entity, code from (
    select t.* from issue_tallies t where run_id in (select id from counted)
) kept full join found using (run_id, entity, code) join counted on counted.id = run_id
where kept.rows is distinct from found.rows order by number limit 1
"""


def _counted(connection: Connection, organization: Organization, start: Start) -> Iterator[Break]:
    """Find a count of issues that is not that of the failed rows."""
    whole = actions.whole_since(connection, organization.id)
    facts = {"org": organization.id, "since": start.link, "whole": whole}
    for row in connection.execute(sa.text(_COUNTED), facts):
        told = f"the count of {row.code} in run {row.run_id} ({row.entity}) is not that of its rows"
        yield row.number, f"link {row.number}: {told}"


LOOKS: Sequence[Look] = (_outcomes, _dropped, _digested, _walk, _unlinked, _counted)


def holds(connection: Connection, organization: Organization, head: str) -> bool:
    """Return whether a head that was noted elsewhere, in hexadecimal, still is a link."""
    kept = tables.links.c
    hashed = sa.func.encode(kept.hash, "hex")
    which = (kept.organization_id == organization.id, hashed == head.strip().lower())
    return connection.execute(sa.select(kept.number).where(*which)).first() is not None


# Every night

_DUE = """
select slug from organizations o where not exists (
    select from verifications v where v.organization_id = o.id and v.at >= (
        date_trunc('day', now() at time zone o.time_zone - :night) + :night
    ) at time zone o.time_zone
) order by id
"""
_ONE_AT_A_TIME = 1_937_337_956  # the advisory lock of whoever verifies by night, or from a page


def verify_by_night() -> list[str]:
    """Verify the organizations that were not verified since 2 o'clock at night, their time.

    Safe where maintenance runs twice: one does it. Returns what is broken, a sentence for each.
    """
    broken = []
    for slug in _due():
        with db.within() as connection:
            organization = organizations.get(connection, slug)
        with db.within(organization.id) as connection:
            if not try_alone(connection) or slug not in _due(connection):
                continue
            verdict = verify(connection, organization)
            keep(connection, organization, verdict)
        if verdict.broken:
            broken.append(f"{organization.name}: {verdict.broken}")
    return broken


def try_alone(connection: Connection) -> bool:
    """Return whether nobody else verifies by night or from a page; until the transaction ends."""
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(_ONE_AT_A_TIME))
    return bool(connection.execute(lock).scalar_one())


def _due(connection: Connection | None = None) -> list[str]:
    if connection is None:
        with db.everywhere() as own:
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
