"""Find what happened to a record by its key, at a cost that a first load does not notice."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "outcomes_of_a_record",
        "outcomes",
        ["entity", "key"],
        unique=False,
        postgresql_where=sa.text("kind in ('updated', 'removed')"),
    )
    op.create_index(
        "outcomes_that_created",
        "outcomes",
        ["key"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32},
        postgresql_ops={"key": "text_bloom_ops (n_distinct_per_range=2500)"},
        postgresql_where=sa.text("kind in ('created')"),
    )


def downgrade() -> None:
    op.drop_index("outcomes_that_created", "outcomes")
    op.drop_index("outcomes_of_a_record", "outcomes")
