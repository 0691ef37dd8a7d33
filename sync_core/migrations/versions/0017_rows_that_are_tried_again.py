"""Runs that try the failed rows of another one again; the audit's chain covers which."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("retries", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("runs_retries_fkey"), "runs", "runs", ["retries"], ["id"])
    op.drop_constraint(op.f("runs_kind_known"), "runs")
    known = "kind in ('sync', 'preview', 'undo', 'retry')"
    op.create_check_constraint(op.f("runs_kind_known"), "runs", known)
    _cover_retries()


def downgrade() -> None:
    raise RuntimeError("the audit's chain stays")


def _cover_retries() -> None:
    """Add what a run retries to its text: that of a run that retries none stays as it was."""
    op.execute("alter function text_of_run(bigint) rename to text_of_run_without_retries")
    op.execute(
        """
        create function text_of_run(wanted bigint) returns text language sql stable as $$
            select text_of_run_without_retries(wanted) || coalesce(
                (select ' retries ' || r."retries" from runs r where r.id = wanted), '')
        $$
        """
    )
