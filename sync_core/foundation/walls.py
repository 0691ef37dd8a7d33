"""The walls between organizations: what a transaction finds, whatever its queries ask for.

Row-level security is the second wall, behind the queries, each of which names its organization. It
binds the program's role, which owns nothing and has the rights below; it does not bind the role
that owns the tables and migrates them.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from sync_core.foundation.errors import SyncError

EVERYWHERE = "everywhere"

_SET = "select set_config('syncdesk.within', %s, true)"  # until the transaction ends

_OF_RUN = "exists (select from runs r where r.id = run_id)"
# Tables that do not say whose their rows are, and hang on a row that does.
BEHIND: Mapping[str, str] = {
    "attempts": _OF_RUN,
    "leases": _OF_RUN,
    "checkpoints": _OF_RUN,
    "tallies": _OF_RUN,
    "issue_tallies": _OF_RUN,
    "outcomes": _OF_RUN,
    "outcome_batches": _OF_RUN,
    "dismissals": _OF_RUN,
    "uploads": _OF_RUN,
    "upload_chunks": "exists (select from uploads u where u.id = upload_id)",
    "batch_parts": "exists (select from batches b where b.id = batch_id)",
}
# Tables without a wall, and why. Nor have those of the schema `staging`, which COPY fills as no
# policy allows: each is one run's, and named by its number.
OPEN: Mapping[str, str] = {
    "organizations": "names and settings of an organization, by which it is found",
    "sign_ins": "of people, before it is known where they belong",
    "preferences": "how people want the pages, in whatever organization they are",
}
_WITHIN = """
    organization_id = any ((select organizations_within())::bigint[]) or (select is_everywhere())
"""  # each asked once a statement, not once a row

# What the program may do; with a table that is not named here, all that changes rows.
RIGHTS: Mapping[str, str] = {
    "alembic_version": "select",
    "organizations": "select, insert, update",
    "runs": "select, insert, update",
    "attempts": "select, insert, update",
    "tallies": "select, insert",
    "issue_tallies": "select, insert",
    "outcomes": "select, insert, update (name, changes, issues, raw, values_hash)",  # retention
    "outcome_batches": "select, insert",
    "actions": "select, insert",
    "links": "select",  # they are made by triggers
    "verifications": "select, insert",
    "runs_to_search": "select",
    "actions_to_search": "select",
}
_USUAL = "select, insert, update, delete"
_FUNCTIONS = ("make_outcome_partitions(date, integer)",)

_OURS = """
select c.relname from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
    and not c.relispartition and pg_get_userbyid(c.relowner) = current_user
    and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
order by c.relname
"""
_UNWALLED = """
select c.relname from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and not c.relispartition and pg_get_userbyid(c.relowner) = current_user
    and (c.relname = any (:behind) or exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'organization_id'))
    and not exists (select from pg_policy p where p.polrelid = c.oid)
order by c.relname
"""
_LEFT_BY_OWNER = """
select c.relname from pg_class c
where c.relnamespace = 'staging'::regnamespace and c.relkind in ('r', 'v')
    and pg_get_userbyid(c.relowner) = current_user
"""


def confine(connection: Connection, organizations: Iterable[int]) -> None:
    """Let the transaction find and write rows of these organizations (ids) alone."""
    connection.exec_driver_sql(_SET, (",".join(map(str, organizations)),))


def open_all(connection: Connection) -> None:
    """Let the transaction find and write rows of all organizations."""
    connection.exec_driver_sql(_SET, (EVERYWHERE,))


def stand(connection: Connection) -> bool:
    """Return whether the walls bind the role of this connection."""
    return bool(connection.exec_driver_sql("select row_security_active('runs')").scalar_one())


def build(connection: Connection) -> None:
    """Put a wall around each table that has none, as the owner of the tables."""
    unwalled = connection.execute(sa.text(_UNWALLED), {"behind": list(BEHIND)})
    for (table,) in unwalled.all():
        connection.exec_driver_sql(f"create policy walls on {table} using ({_wall(table)})")
        connection.exec_driver_sql(f"alter table {table} enable row level security")


def _wall(table: str) -> str:
    return BEHIND.get(table, _WITHIN)


def let_in(connection: Connection, program: str) -> None:
    """Give the program's role its rights, and no others, as the owner of the tables.

    Raises SyncError("owner_is_no_member").
    """
    role = sql.Identifier(program).as_string()
    _require_member(connection, program)
    for (table,) in connection.exec_driver_sql(_OURS).all():
        connection.exec_driver_sql(f"revoke all on {table} from {role}")
        connection.exec_driver_sql(f"grant {RIGHTS.get(table, _USUAL)} on {table} to {role}")
    for function in _FUNCTIONS:
        connection.exec_driver_sql(f"grant execute on function {function} to {role}")
    connection.exec_driver_sql("revoke create on schema public from public")
    connection.exec_driver_sql(f"grant usage, create on schema staging to {role}")
    for (table,) in connection.exec_driver_sql(_LEFT_BY_OWNER).all():  # of runs on their way
        connection.exec_driver_sql(f"alter table staging.{table} owner to {role}")


def _require_member(connection: Connection, program: str) -> None:
    query = sa.text("select current_user, pg_has_role(current_user, :program, 'MEMBER')")
    owner, is_member = connection.execute(query, {"program": program}).one()
    if not is_member:
        raise SyncError("owner_is_no_member", owner=owner, program=program)


def make_role(connection: Connection, program: str) -> None:
    """Make the program's role in a server of our own, where everybody may connect as it."""
    known = sa.text("select exists (select from pg_roles where rolname = :program)")
    if not connection.execute(known, {"program": program}).scalar_one():
        role = sql.Identifier(program).as_string()
        connection.exec_driver_sql(f"create role {role} login")
