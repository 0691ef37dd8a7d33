"""How an outcome is written down: its key as one text, its row's hash, what its digests cover."""

from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.types import TypeEngine

from sync_core.catalogue.fields import Field
from sync_core.catalogue.resource import Entity

KEY_SEPARATOR = "\x1f"  # between the parts of a key in outcomes; no cell can hold it

FACTS = ("kind", "row_number", "key", "rule", "row_hash", "at")
VALUES = ("row_number", "key", "name", "changes", "issues", "raw")


def _digest(columns: tuple[str, ...]) -> str:
    return f"concat_ws(':', count(*), sum(hash_record_extended(row({', '.join(columns)}), 0)))"


DIGESTS = f"{_digest(FACTS)} as facts_digest, {_digest(VALUES)} as values_digest"
NOTHING = "0"  # the digest of no row

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
