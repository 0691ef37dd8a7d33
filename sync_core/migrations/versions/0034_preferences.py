"""People choose the theme, the time zone and the shortcuts of their pages."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "preferences",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), server_default="system", nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("shortcuts", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column(
            "set_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "theme in ('system', 'light', 'dark')", name=op.f("preferences_theme_known")
        ),
        sa.PrimaryKeyConstraint("email", name=op.f("preferences_pkey")),
    )


def downgrade() -> None:
    op.drop_table("preferences")
