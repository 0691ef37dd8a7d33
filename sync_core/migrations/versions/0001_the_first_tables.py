"""The first tables: ours, and those of the catalogue."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create schema staging")
    op.create_table(
        "admins",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("team", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "email", name=op.f("admins_pkey")),
    )
    op.create_table(
        "brands",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("brand_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "brand_code", name=op.f("brands_pkey")),
    )
    op.create_table(
        "locations",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("location_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Numeric(), nullable=True),
        sa.Column("longitude", sa.Numeric(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "location_code", name=op.f("locations_pkey")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="AU", nullable=False),
        sa.Column("time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("organizations_pkey")),
        sa.UniqueConstraint("slug", name=op.f("organizations_slug_unique")),
    )
    op.create_table(
        "outcomes",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.BigInteger(), nullable=True),
        sa.Column("changes", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("issues", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "outcomes_by_run", "outcomes", ["run_id"], unique=False, postgresql_using="brin"
    )
    op.create_index(
        "outcomes_for_a_person",
        "outcomes",
        ["run_id", "entity", "row_number"],
        unique=False,
        postgresql_where=sa.text("kind in ('failed','skipped')"),
    )
    op.create_table(
        "packages",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("package_code", sa.Text(), nullable=False),
        sa.Column("brand_code", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("price", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("sessions", sa.BigInteger(), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "package_code", name=op.f("packages_pkey")),
    )
    op.create_table(
        "schedules",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("therapist_id", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Text(), nullable=False),
        sa.Column("start", sa.Time(), nullable=False),
        sa.Column("end", sa.Time(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "organization_id", "therapist_id", "weekday", "start", name=op.f("schedules_pkey")
        ),
    )
    op.create_table(
        "therapists",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("therapist_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("employment_type", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("hourly_rate", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column(
            "_created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("_removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "therapist_id", name=op.f("therapists_pkey")),
        sa.UniqueConstraint(
            "organization_id",
            "email",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("therapists_organization_id_email_unique"),
        ),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "role IN ('viewer', 'analyst', 'manager', 'admin')", name=op.f("people_role_known")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("people_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("people_pkey")),
        sa.UniqueConstraint(
            "organization_id", "email", name=op.f("people_organization_id_email_unique")
        ),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="sync", nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crashes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_email", sa.Text(), nullable=False),
        sa.Column("requested_team", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "queued_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "active_since",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("log_message", sa.Text(), server_default="", nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "notes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column(
            "phases", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(finished_at is null) = (status in ('queued','running','waiting','interrupted'))",
            name=op.f("runs_finished_when_ended"),
        ),
        sa.CheckConstraint("kind IN ('sync', 'preview', 'undo')", name=op.f("runs_kind_known")),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'waiting', 'completed', 'partial', 'failed', 'cancelled', 'interrupted', 'timed_out', 'expired')",
            name=op.f("runs_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("runs_organization_id_exists")
        ),
        sa.ForeignKeyConstraint(["undoes"], ["runs.id"], name=op.f("runs_undoes_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("runs_pkey")),
    )
    op.create_index(
        "runs_by_resource",
        "runs",
        ["organization_id", "resource", sa.literal_column("id desc")],
        unique=False,
    )
    op.create_index(
        "runs_by_time",
        "runs",
        ["organization_id", sa.literal_column("queued_at desc")],
        unique=False,
    )
    op.create_index(
        "runs_one_active",
        "runs",
        ["organization_id", "resource"],
        unique=True,
        postgresql_where=sa.text("status in ('queued','running','interrupted')"),
    )
    op.create_table(
        "sources",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("tab", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column(
            "set_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("sources_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("organization_id", "resource", "entity", name=op.f("sources_pkey")),
    )
    op.create_table(
        "actions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("actions_organization_id_exists")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("actions_run_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("actions_pkey")),
    )
    op.create_index(
        "actions_by_time",
        "actions",
        ["organization_id", sa.literal_column("at desc")],
        unique=False,
    )
    op.create_table(
        "attempts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column(
            "log", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("attempts_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", "attempt", name=op.f("attempts_pkey")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("staged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("blank", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("keyless", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "sheet", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("checkpoints_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", "entity", name=op.f("checkpoints_pkey")),
    )
    op.create_table(
        "dismissals",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("dismissals_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", "email", name=op.f("dismissals_pkey")),
    )
    op.create_table(
        "leases",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("leases_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("leases_pkey")),
    )
    op.create_table(
        "tallies",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("read", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("removed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("blank", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "rules", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.CheckConstraint(
            "read = created + updated + unchanged + skipped + failed", name=op.f("tallies_add_up")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("tallies_run_id_exists")),
        sa.PrimaryKeyConstraint("run_id", "entity", name=op.f("tallies_pkey")),
    )
    _partition_outcomes()
    _guard_runs()


def downgrade() -> None:
    raise RuntimeError("the first tables stay")


def _partition_outcomes() -> None:
    op.execute(
        """
        create function make_outcome_partitions(first date, months integer) returns void
        language plpgsql as $$
        declare
            month date := date_trunc('month', first);
            name text;
        begin
            for ahead in 0..months loop
                name := 'outcomes_' || to_char(month, 'YYYY_MM');
                if to_regclass(name) is null then
                    execute format(
                        'create table %I partition of outcomes for values from (%L) to (%L)',
                        name, month, month + interval '1 month');
                end if;
                month := month + interval '1 month';
            end loop;
        end $$
        """
    )
    op.execute("create table outcomes_other partition of outcomes default")
    op.execute("select make_outcome_partitions(current_date, 3)")


def _guard_runs() -> None:
    """Refuse every change of status that `leases.TRANSITIONS` does not have."""
    op.execute(
        """
        create function guard_run() returns trigger language plpgsql as $$
        begin
            if old.finished_at is not null then
                raise exception 'run % has ended and does not change', old.id;
            end if;
            if old.status = new.status
               or (old.status, new.status) in (
                ('queued', 'running'), ('queued', 'cancelled'), ('queued', 'timed_out'),
                ('running', 'completed'), ('running', 'partial'), ('running', 'failed'),
                ('running', 'cancelled'), ('running', 'timed_out'), ('running', 'waiting'),
                ('running', 'interrupted'),
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
    op.execute(
        "create trigger guard_run before update on runs for each row execute function guard_run()"
    )
