"""Patients of Cliniko, their appointments and the types of these."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appointment_types",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("cliniko_appointment_type_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "organization_id", "cliniko_appointment_type_id", name=op.f("appointment_types_pkey")
        ),
    )
    op.create_table(
        "appointments",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("cliniko_appointment_id", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cliniko_patient_id", sa.Text(), nullable=True),
        sa.Column("cliniko_practitioner_id", sa.Text(), nullable=True),
        sa.Column("cliniko_business_id", sa.Text(), nullable=True),
        sa.Column("cliniko_appointment_type_id", sa.Text(), nullable=True),
        sa.Column("arrived", sa.Boolean(), nullable=True),
        sa.Column("did_not_arrive", sa.Boolean(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "organization_id", "cliniko_appointment_id", name=op.f("appointments_pkey")
        ),
    )
    op.create_index(
        op.f("appointments_organization_id_starts_at_cliniko_patient_id"),
        "appointments",
        ["organization_id", "starts_at", "cliniko_patient_id"],
        unique=False,
    )
    op.create_table(
        "patients",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("cliniko_patient_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("preferred_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("date_of_birth", sa.Date(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phones", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "organization_id", "cliniko_patient_id", name="patients_org_cliniko_patient_unique"
        ),
    )


def downgrade() -> None:
    op.drop_table("patients")
    op.drop_index(
        op.f("appointments_organization_id_starts_at_cliniko_patient_id"), table_name="appointments"
    )
    op.drop_table("appointments")
    op.drop_table("appointment_types")
