"""Places that are offered and taken, the account of each person, and sign-ins that end."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ("accepted_at", "chosen_at", "epoch"):
        op.add_column("people", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    for column in ("issuer", "subject"):
        op.add_column("people", sa.Column(column, sa.Text(), nullable=True))
    op.execute("update people set accepted_at = created_at")  # nobody is asked who is there already
    op.create_check_constraint(
        op.f("people_one_account"), "people", "(issuer is null) = (subject is null)"
    )
    op.create_index("people_by_email", "people", ["email"], unique=False)
    op.create_table(
        "sign_ins",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("mark", name=op.f("sign_ins_pkey")),
    )
    op.create_index("sign_ins_by_account", "sign_ins", ["issuer", "subject"], unique=False)
    op.create_index("sign_ins_by_age", "sign_ins", ["at"], unique=False)


def downgrade() -> None:
    op.drop_table("sign_ins")
    op.drop_index("people_by_email", table_name="people")
    for column in ("subject", "issuer", "epoch", "chosen_at", "accepted_at"):
        op.drop_column("people", column)
