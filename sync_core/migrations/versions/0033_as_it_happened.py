"""The audit lists runs by when they ended, so its indexes have that order."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

HAPPENED = "coalesce(finished_at, queued_at)"
COLUMNS = {
    "runs_by_status": "status",
    "runs_by_trigger": "trigger",
    "runs_by_person": "requested_email",
    "runs_by_team": "requested_team",
    "runs_by_error": "error_code",
}


def upgrade() -> None:
    op.create_index("runs_as_they_happened", "runs", ["organization_id", *_order(HAPPENED)])
    _order_by(HAPPENED)


def downgrade() -> None:
    op.drop_index("runs_as_they_happened", table_name="runs")
    _order_by("queued_at")


def _order_by(at: str) -> None:
    for name, column in COLUMNS.items():
        op.drop_index(name, table_name="runs")
        op.create_index(
            name,
            "runs",
            ["organization_id", column, *_order(at)],
            postgresql_where=sa.text("error_code is not null") if column == "error_code" else None,
        )


def _order(at: str) -> list[sa.TextClause]:
    return [sa.text(f"{at} desc"), sa.text("id desc")]
