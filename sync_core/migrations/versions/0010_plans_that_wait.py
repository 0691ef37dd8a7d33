"""Plans that wait for a person are kept with their run, and the audit's chain covers them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("plans", postgresql.JSONB(), nullable=True))
    _cover_plans()


def downgrade() -> None:
    raise RuntimeError("the audit's chain stays")


def _cover_plans() -> None:
    """Add the plans to the text of a run: that of a run without any stays as it was hashed."""
    op.execute("alter function text_of_run(bigint) rename to text_of_run_without_plans")
    op.execute(
        """
        create function text_of_run(wanted bigint) returns text language sql stable as $$
            select text_of_run_without_plans(wanted) || coalesce(
                (select r."plans"::text from runs r where r.id = wanted), '')
        $$
        """
    )
