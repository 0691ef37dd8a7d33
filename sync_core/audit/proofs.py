"""Make a proof of what a run did to one row, which anybody can check without the database.

It holds the row, the path from it to the root over all that the run did, and the links from that of
the run to the head; `proof_check` says how these hang together. It needs the row's exact values, so
only who may export and see personal data may have it: it has nothing to mask.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from sync_core.audit import proof_check
from sync_core.audit.hash_chain import MEMORY
from sync_core.audit.proof_check import FORM, ProofError
from sync_core.foundation import tables
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization
from sync_core.records.outcome_format import BATCH, KEPT_VALUES, KEY_SEPARATOR, NARROW, leaves
from sync_core.runs import Run

Level = list[tuple[int, bytes]]  # nodes with their places, in this order
Step = dict[str, list[str]]  # the nodes before and after one's own

OVER_BATCHES = 2  # levels between the batches and the node over an entity, as in `root_of_run`
_KEPT = tables.outcomes.c
NOT_AS_IT_WAS = "it, or what it did, is not as it was at its end: verify the audit's chain"
LIKE = 5  # how many rows are named where several could be meant


def make(
    connection: Connection,
    organization: Organization,
    run: Run,
    *,
    keys: Collection[str] = (),
    entity: str | None = None,
    row_number: int | None = None,
) -> dict[str, Any]:
    """Return the proof of the one outcome that is named, as it goes into a file.

    Raises SyncError: nothing_to_prove, several_to_prove, not_provable.
    """
    connection.execute(sa.text(f"set local jit = off; set local work_mem = '{MEMORY}'"))
    links = _links(connection, organization, run)
    found = _outcome(connection, run, keys, entity, row_number)
    try:
        proof = {
            "form": FORM,
            "organization": organization.id,
            "facts": found.facts,
            "values": found.kept_values,
            "values_hash": found.hash_of_values.hex(),
            "path": list(_path(connection, run, found)),
            "run_content": _run_content(connection, run),
            "links": [_as_json(link) for link in links],
            "head": links[-1].hash.hex(),
        }
        proof_check.check(json.dumps(proof))
    except (ProofError, ValueError) as error:
        raise SyncError("not_provable", run=run.id, why=NOT_AS_IT_WAS) from error
    return proof


# The row


def _outcome(
    connection: Connection,
    run: Run,
    keys: Collection[str],
    entity: str | None,
    row_number: int | None,
) -> sa.Row[Any]:
    """Read the outcome that is named, with the texts that are hashed."""
    parts = {_KEPT.entity: entity, _KEPT.row_number: row_number}
    named = [column == value for column, value in parts.items() if value is not None]
    named += [_KEPT.key.in_(keys)] if keys else []
    facts = sa.func.text_of_facts(
        _KEPT.run_id,
        _KEPT.entity,
        _KEPT.kind,
        _KEPT.row_number,
        _KEPT.key,
        _KEPT.rule,
        _KEPT.row_hash,
        _KEPT.at,
    )
    values = sa.func.text_of_values(_KEPT.name, _KEPT.changes, _KEPT.issues, _KEPT.raw)
    hashed = sa.literal_column(KEPT_VALUES, sa.LargeBinary)
    query = sa.select(
        _KEPT.entity,
        _KEPT.row_number,
        facts.label("facts"),
        sa.case((_KEPT.values_hash.is_(None), values)).label("kept_values"),
        hashed.label("hash_of_values"),
        sa.func.hash_of_outcome(facts, hashed).label("leaf"),
    ).where(_KEPT.run_id == run.id, *named)
    found = connection.execute(query.order_by(_KEPT.entity, _KEPT.row_number).limit(LIKE)).all()
    called = _called(keys, row_number)
    if not found:
        raise SyncError("nothing_to_prove", run=run.id, row=called)
    if len(found) > 1:
        raise SyncError("several_to_prove", run=run.id, row=called, found=_listed(found))
    return found[0]


def _called(keys: Collection[str], row_number: int | None) -> str:
    parts = [f"'{key.replace(KEY_SEPARATOR, ' · ')}'" for key in keys][:1]
    parts += [f"row {row_number}"] if row_number is not None else []
    return " in ".join(parts) or "any row"


def _listed(found: Sequence[sa.Row[Any]]) -> str:
    return ", ".join(
        f"row {one.row_number} of {one.entity}" if one.row_number else f"one of {one.entity}"
        for one in found
    )


# The path to the root of the run


def _path(connection: Connection, run: Run, found: sa.Row[Any]) -> Iterator[Step]:
    """Return the steps from the leaf of an outcome to the root over all that its run did."""
    level = _leaves(connection, run, found)
    own = [leaf for _, leaf in level].index(found.leaf)
    for _ in range(BATCH // NARROW):
        step, level, own = _climb(level, own)
        yield step
    batches = _batches(connection, run)
    number, level = level[own][0], batches.get(found.entity, [])
    own = [place for place, _ in level].index(number)
    for _ in range(OVER_BATCHES):
        step, level, own = _climb(level, own)
        yield step
    yield _step([node for _, node in level], own)
    roots = {name: _root(batches[name]) for name in sorted(batches)}
    yield _step(list(roots.values()), list(roots).index(found.entity))


def _leaves(connection: Connection, run: Run, found: sa.Row[Any]) -> Level:
    """Return the leaves of the batch of an outcome."""
    mine = f"(select * from outcomes where run_id = {run.id} and entity = :entity)"  # noqa: S608 - a number
    every = f"({leaves(mine, KEPT_VALUES)}) of_entity"
    batch = "select place >> :bits"
    if found.row_number is None:
        batch += f" from {every} where leaf = :leaf and place < 0 limit 1"
        facts = {"entity": found.entity, "leaf": found.leaf, "bits": BATCH}
        number = connection.execute(sa.text(batch), facts).scalar_one()
    else:
        number = found.row_number >> BATCH
    query = f"select place, leaf from {every} where place >> :bits = :number order by place, leaf"  # noqa: S608 - of our own columns
    facts = {"entity": found.entity, "bits": BATCH, "number": number}
    return [(place, leaf) for place, leaf in connection.execute(sa.text(query), facts)]


def _batches(connection: Connection, run: Run) -> dict[str, Level]:
    """Return the roots of the run's batches by entity, in their order."""
    kept = tables.outcome_batches.c
    query = sa.select(kept.entity, kept.number, kept.root).where(kept.run_id == run.id)
    found: dict[str, Level] = {}
    for entity, number, root in connection.execute(query.order_by(kept.number)):
        found.setdefault(entity, []).append((number, root))
    return found


def _climb(level: Level, own: int) -> tuple[Step, Level, int]:
    """Return the step over one of the nodes, the level above, and where that leads to in it."""
    group = level[own][0] >> NARROW
    side_by_side = [index for index, (place, _) in enumerate(level) if place >> NARROW == group]
    step = _step([level[index][1] for index in side_by_side], own - side_by_side[0])
    above = _above(level)
    return step, above, [place for place, _ in above].index(group)


def _above(level: Level) -> Level:
    groups = groupby(level, key=lambda node: node[0] >> NARROW)
    return [(group, _hash([node for _, node in nodes])) for group, nodes in groups]


def _root(batches: Level) -> bytes:
    """Return the node over all batches of an entity, as `root_of_run` in Postgres makes it."""
    for _ in range(OVER_BATCHES):
        batches = _above(batches)
    return _hash([node for _, node in batches])


def _hash(nodes: Sequence[bytes]) -> bytes:
    return hashlib.sha256(b"\x01" + b"".join(nodes)).digest()


def _step(nodes: Sequence[bytes], own: int) -> Step:
    before, after = nodes[:own], nodes[own + 1 :]
    return {"before": [node.hex() for node in before], "after": [node.hex() for node in after]}


# The links to the head


def _run_content(connection: Connection, run: Run) -> str:
    """Return the hash of all that the run says of itself, its outcomes left out."""
    content: bytes = connection.execute(sa.select(sa.func.content_of("run", run.id))).scalar_one()
    return content.hex()


_TO_THE_HEAD = """
with recursive walk as (
    (select * from links where organization_id = :org order by number desc limit 1)
    union all
    select l.* from walk w join links l on l.organization_id = :org and l.number =
        case when w.jump >= :first then w.jump else w.number - 1 end
    where w.number > :first
)
select w.number, w.jump, w.kind, w.subject_id, w.content, w.form, w.hash, previous.hash as previous,
       jumped.hash as jumped
from walk w
left join links previous on previous.organization_id = :org and previous.number = w.number - 1
left join links jumped on jumped.organization_id = :org and jumped.number = w.jump
order by w.number
"""


def _links(connection: Connection, organization: Organization, run: Run) -> list[sa.Row[Any]]:
    """Return the links from that of the run to the head. Raises SyncError("not_provable")."""
    kept = tables.links.c
    which = (kept.organization_id == organization.id, kept.kind == "run", kept.subject_id == run.id)
    first = connection.execute(sa.select(kept.number, kept.form).where(*which)).one_or_none()
    if first is None:
        raise SyncError("not_provable", run=run.id, why="it has not ended")
    if first.form != FORM:
        raise SyncError("not_provable", run=run.id, why="it ended before rows could be proved")
    facts = {"org": organization.id, "first": first.number}
    return list(connection.execute(sa.text(_TO_THE_HEAD), facts))


def _as_json(link: sa.Row[Any]) -> dict[str, Any]:
    return {
        "number": link.number,
        "jump": link.jump,
        "kind": link.kind,
        "subject": link.subject_id,
        "previous": link.previous and link.previous.hex(),
        "jumped": link.jumped and link.jumped.hex(),
        "content": link.content.hex(),
    }
