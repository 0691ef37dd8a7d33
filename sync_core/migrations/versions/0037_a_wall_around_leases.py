"""Leases stand behind the walls, too: a heartbeat names the organization of its run.

It is one statement by itself, so the function says what is within; it works as whoever calls it.
The wall itself is put up by every `syncdesk migrate` (`foundation.walls`).
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("drop function seconds_active(bigint)")
    op.execute(
        """
        create function renew_lease(organization bigint, run bigint, of_attempt integer,
                                    lasting interval)
        returns table (cancelled boolean, active double precision) language plpgsql as $$
        begin
            perform set_config('syncdesk.within', organization::text, true);
            return query
                update leases set lease_until = clock_timestamp() + lasting
                from runs
                where leases.run_id = run and leases.attempt = of_attempt and runs.id = run
                returning leases.cancel_requested_at is not null,
                    extract(epoch from clock_timestamp() - runs.active_since)::double precision;
        end
        $$
        """
    )


def downgrade() -> None:
    raise RuntimeError("the walls stay")
