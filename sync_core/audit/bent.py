"""Whether a check asks the functions and tables that it thinks: their owner could replace them.

A check is made by Postgres, so who replaces a function that hashes could have it answer with what
was linked, whatever the row says by now; then every head that was kept would fit.
"""

import hashlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

# SHA-256 of the functions as the migrations make them; one that changes them changes this, too.
OURS = "b9dc9f62183f1d40a10b4b2e5e1ee3f3eacf61ea1c5ff8f1072836a04cba6d9c"
TABLES = ("runs", "actions", "links", "outcomes", "outcome_batches", "tallies", "issue_tallies")

_FUNCTIONS = """
select concat_ws(' ', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), l.lanname,
                 p.prosecdef, p.proconfig, p.prosrc)
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
join pg_catalog.pg_language l on l.oid = p.prolang
where p.proname ~ '^(content|hash|text|root)_of(_|$)' and n.nspname <> 'pg_catalog'
"""
_NO_TABLES = """
select name from unnest(cast(:names as text[])) name
left join pg_catalog.pg_class c on c.oid = to_regclass(name)
where c.relkind is null or c.relkind not in ('r', 'p') or c.relhasrules
"""
_BEFORE_OURS = """
with path as (select * from unnest(current_schemas(true)) with ordinality p (schema, place))
select path.schema from path, path ours
where ours.schema = 'public' and path.place < ours.place and path.schema !~ '^pg_'
    or ours.schema = 'pg_catalog' and path.schema = 'public' and path.place < ours.place
"""


def found(connection: Connection) -> Iterator[str]:
    """Say what is not as the migrations have made it."""
    if fingerprint(connection) != OURS:
        yield "the functions by which Postgres hashes the trail are not those of this program"
    for name in connection.execute(sa.text(_NO_TABLES), {"names": list(TABLES)}).scalars():
        yield f"{name} is no table any more, or a rule rewrites what is asked of it"
    for schema in connection.execute(sa.text(_BEFORE_OURS)).scalars():
        yield f"names are looked up in the schema {schema} first"


def fingerprint(connection: Connection) -> str:
    """Return the SHA-256 of the functions that hash, as they are."""
    told = connection.execute(sa.text(_FUNCTIONS)).scalars()
    return hashlib.sha256("\n".join(sorted(told)).encode()).hexdigest()
