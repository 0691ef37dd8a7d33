"""What an undo leaves is not in step with the source."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = "status in ('completed', 'partial') and kind <> 'preview'"
AFTER = "status in ('completed', 'partial') and kind in ('sync')"


def upgrade() -> None:
    _index_again(AFTER)


def downgrade() -> None:
    _index_again(BEFORE)


def _index_again(which: str) -> None:
    op.drop_index("runs_in_step", table_name="runs")
    op.create_index(
        "runs_in_step",
        "runs",
        ["organization_id", "resource", "finished_at"],
        unique=False,
        postgresql_where=sa.text(which),
    )
