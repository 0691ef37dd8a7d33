"""Room on the pages of target tables, so that an updated row stays on its page."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TARGETS = (
    "admins",
    "appointment_types",
    "appointments",
    "brands",
    "locations",
    "packages",
    "patients",
    "schedules",
    "therapists",
)


def upgrade() -> None:
    for table in TARGETS:
        op.execute(f"alter table {table} set (fillfactor = 90)")


def downgrade() -> None:
    for table in TARGETS:
        op.execute(f"alter table {table} reset (fillfactor)")
