"""A confirmed plan that is found to be out of date expires: no run failed."""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create or replace function guard_run() returns trigger language plpgsql as $$
        begin
            if old.finished_at is not null then
                raise exception 'run % has ended and does not change', old.id;
            end if;
            if old.status = new.status
               or (old.status, new.status) in (
                ('queued', 'running'), ('queued', 'cancelled'), ('queued', 'timed_out'),
                ('running', 'completed'), ('running', 'partial'), ('running', 'failed'),
                ('running', 'cancelled'), ('running', 'timed_out'), ('running', 'waiting'),
                ('running', 'interrupted'), ('running', 'expired'),
                ('interrupted', 'queued'), ('interrupted', 'failed'),
                ('interrupted', 'cancelled'), ('interrupted', 'timed_out'),
                ('waiting', 'queued'), ('waiting', 'cancelled'), ('waiting', 'expired'))
            then
                return new;
            end if;
            raise exception 'run % may not go from % to %', old.id, old.status, new.status;
        end $$
        """
    )


def downgrade() -> None:
    raise RuntimeError("runs that expired so stay")
