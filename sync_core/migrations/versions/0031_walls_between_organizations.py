"""What the walls ask, and what the program's role, which owns nothing, needs of the owner.

The walls themselves, and the role's rights, are in `foundation.walls`: every `syncdesk migrate`
puts them up, so that a new table has its own without a word here.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

AS_OWNER = "security definer set search_path = public, pg_temp"
OF_TRIGGERS = ("link_run", "link_action", "refuse_change_of_linked_run")  # they look at all rows


def upgrade() -> None:
    _say_what_is_within()
    for function in OF_TRIGGERS:
        op.execute(f"alter function {function}() {AS_OWNER}")
        op.execute(f"revoke execute on function {function}() from public")
    op.execute(f"alter function make_outcome_partitions(date, integer) {AS_OWNER}")
    op.execute("revoke execute on function make_outcome_partitions(date, integer) from public")
    _tell_heartbeats()
    _search()


def downgrade() -> None:
    raise RuntimeError("the walls stay")


def _say_what_is_within() -> None:
    """Read what `walls.confine` has set; a transaction that has set nothing finds nothing."""
    op.execute(
        """
        create function organizations_within() returns bigint[] language sql stable parallel safe
        as $$
            select string_to_array(
                nullif(nullif(current_setting('syncdesk.within', true), ''), 'everywhere'), ','
            )::bigint[]
        $$
        """
    )
    op.execute(
        """
        create function is_everywhere() returns boolean language sql stable parallel safe as $$
            select coalesce(current_setting('syncdesk.within', true) = 'everywhere', false)
        $$
        """
    )


def _tell_heartbeats() -> None:
    """Tell how long a run is active: a heartbeat is a statement by itself, before all walls."""
    op.execute(
        f"""
        create function seconds_active(run bigint) returns double precision language sql {AS_OWNER}
        as $$
            select extract(epoch from clock_timestamp() - active_since) from runs where id = run
        $$
        """  # noqa: S608 - a constant
    )
    op.execute("revoke execute on function seconds_active(bigint) from public")


def _search() -> None:
    """Let words be looked up by their index: behind a policy Postgres would not use it.

    These views are the owner's, whom no policy binds, and say themselves what is within.
    """
    for table, columns in (
        ("runs", "resource, requested_by, requested_email, log_message"),
        ("actions", "resource, name, email, kind, detail"),
    ):
        op.execute(
            f"""
            create view {table}_to_search as select id, organization_id, {columns} from {table}
            where organization_id = any ((select organizations_within())::bigint[])
                or (select is_everywhere())
            """  # noqa: S608 - names of ours
        )
