"""How an outcome is written down: its key as one text, its row's hash, and the hashes over it.

The leaf of an outcome is the SHA-256 of its facts, a JSON text (`text_of_facts` in Postgres), and
of the SHA-256 of its values, another one (`text_of_values`): values may be dropped later, and their
hash stays then. Leaves hang on a tree by their place, which is the row's number in the source, or
counted downwards from -1 where it has none, in the order of keys. A node is the SHA-256 of a byte
and of the nodes under it, those of sixteen places; so are the nodes over sixteen nodes. Those over
4,096 places are kept (`outcome_batches`), and the link of the run hashes the one over them all
(`root_of_run`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.types import TypeEngine

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity

KEY_SEPARATOR = "\x1f"  # between the parts of a key in outcomes; no cell can hold it
SHOWN_SEPARATOR = " · "  # instead of it, for people

NARROW = 4  # bits of a place that a node takes together
BATCH = 3 * NARROW  # and those that a batch does
FACTS = ("kind", "row_number", "key", "rule", "row_hash", "at")
VALUES = ("row_number", "key", "name", "changes", "issues", "raw")


def _digest(columns: tuple[str, ...]) -> str:
    return f"concat_ws(':', count(*), sum(hash_record_extended(row({', '.join(columns)}), 0)))"


DIGESTS = f"{_digest(FACTS)} as facts_digest, {_digest(VALUES)} as values_digest"
NOTHING = "0"  # the digest of no row

_VALUES = "hash_of_text(text_of_values(name, changes, issues, raw))"
KEPT_VALUES = (  # what was dropped has left its hash; a hash beside values proves nothing
    f"case when num_nonnulls(name, changes, issues, raw) > 0 then {_VALUES}"
    f" else coalesce(values_hash, {_VALUES}) end"
)


_FACTS = "text_of_facts(run_id, entity, kind, row_number, key, rule, row_hash, at)"

OF_RUNS = ("run_id", "entity")  # what tells the trees of several entities and runs apart


def facts_of_run(run_id: sql.Literal, entity: sql.Literal, at: sql.Literal) -> str:
    """Return the SQL of `text_of_facts` of outcomes that share these three.

    They are written once, not once a row, which takes a third less time.
    """
    parts = (
        "(select left(json_build_array({run_id}::bigint, {entity}::text)::text, -1))",
        """', "' || kind || '", '""",
        "coalesce(row_number::text, 'null') || ', '",
        "coalesce(to_json(key)::text, 'null') || ', '",
        "coalesce(to_json(rule)::text, 'null') || ', '",
        "coalesce(row_hash::text, 'null')",
        "(select ', ' || to_json({at}::timestamptz at time zone 'UTC')::text || ']')",
    )
    return sql.SQL(" || ".join(parts)).format(run_id=run_id, entity=entity, at=at).as_string()


def leaves(
    source: str,
    values: str = _VALUES,
    of: Sequence[str] = OF_RUNS,
    facts: str = _FACTS,
    *,
    numbered: bool = False,
) -> str:
    """Return the SQL of the place and the leaf of each outcome of a source, and of its tree.

    A source is the SQL of a relation with the columns of outcomes; where all of them are known to
    be `numbered`, no others are looked for.
    """
    tree = "".join(f"{column}, " for column in of)
    apart = f"partition by {', '.join(of)}" if of else ""
    leaf = f"hash_of_outcome({facts}, {values})"
    with_number = f"""
    select {tree} row_number::bigint as place, {leaf} as leaf from {source} numbered
    where row_number is not null"""  # noqa: S608 - of our own columns
    if numbered:
        return with_number
    return f"""{with_number}
    union all
    select {tree} -row_number() over ({apart} order by key collate "C", leaf), leaf
    from (select {tree} key, {leaf} as leaf from {source} gone where row_number is null) unnumbered
    """  # noqa: S608 - of our own columns


def batches(
    source: str,
    values: str = _VALUES,
    of: Sequence[str] = OF_RUNS,
    facts: str = _FACTS,
    *,
    numbered: bool = False,
) -> str:
    """Return the SQL of the number and the root of each batch, and of its tree; see `leaves`."""
    tree = "".join(f"{column}, " for column in of)
    nodes = f"({leaves(source, values, of, facts, numbered=numbered)}) leaves"
    for level, node in enumerate(("leaf", "root", "root")):
        nodes = f"""(
            select {tree} place >> {NARROW} as place,
                   hash_of_nodes(string_agg({node}, ''::bytea order by place, {node})) as root
            from {nodes} group by {tree} place >> {NARROW}
        ) level_{level}"""  # noqa: S608 - of our own columns
    return f"select {tree} place as number, root from {nodes}"  # noqa: S608 - as above


HASHES: dict[type[TypeEngine[Any]], str] = {  # of a column and a seed
    sa.Text: "hashtextextended({}, {})",
    sa.Numeric: "hash_numeric_extended({}, {})",
    sa.BigInteger: "hashint8extended({}, {})",
    sa.Date: "hashint4extended({} - date '2000-01-01', {})",
    sa.Boolean: "hashint4extended({}::integer, {})",
}
ANY_HASH = "hash_record_extended(row({}), {})"  # of any type, in twice the time


def row_hash(table: str, entity: Entity) -> sql.Composed:
    """Return the SQL of a number that stands for the values of a row's fields."""
    hashes = (_hash(table, field, seed) for seed, field in enumerate(entity.fields, 1))
    return sql.SQL("\n# ").join(sql.SQL("coalesce({}, 0)").format(one) for one in hashes)


def _hash(table: str, field: Field, seed: int) -> sql.Composed:
    hashed = sql.SQL(HASHES.get(type(field.sql_type), ANY_HASH))
    return hashed.format(sql.Identifier(table, field.column), sql.Literal(seed))
