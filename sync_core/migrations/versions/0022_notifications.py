"""Notifications: what happened, what people were told, what they wish, and the outbox."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("resources", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("digest", sa.Text(), server_default="never", nullable=False),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "digest in ('never', 'daily', 'weekly')", name=op.f("channels_digest_known")
        ),
        sa.CheckConstraint(
            "kind in ('email', 'slack', 'teams', 'google_chat', 'webhook')",
            name=op.f("channels_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("channels_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("channels_pkey")),
        sa.UniqueConstraint(
            "organization_id", "name", name=op.f("channels_organization_id_name_unique")
        ),
    )
    op.create_table(
        "wishes",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("resources", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.Column("failed_rows", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.Text(), server_default="never", nullable=False),
        sa.Column(
            "set_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "digest in ('never', 'daily', 'weekly')", name=op.f("wishes_digest_known")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("wishes_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("organization_id", "email", name=op.f("wishes_pkey")),
    )
    op.create_table(
        "conditions",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "since",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state in ('succeeded', 'partial', 'failed', 'waiting', 'recovered', 'stale', 'fresh', 'paused', 'cancelled', 'expired')",
            name=op.f("conditions_state_known"),
        ),
        sa.CheckConstraint(
            "topic in ('result', 'approval', 'freshness')", name=op.f("conditions_topic_known")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("conditions_organization_id_exists"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("conditions_run_id_exists")),
        sa.PrimaryKeyConstraint(
            "organization_id", "resource", "topic", name=op.f("conditions_pkey")
        ),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column(
            "content", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column(
            "made_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "newest_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("num_nonnulls(email, channel_id) = 1", name=op.f("messages_to_one")),
        sa.ForeignKeyConstraint(
            ["channel_id"],
            ["channels.id"],
            name=op.f("messages_channel_id_exists"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("messages_organization_id_exists")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("messages_pkey")),
        sa.UniqueConstraint("channel_id", "once", name=op.f("messages_channel_id_once_unique")),
        sa.UniqueConstraint(
            "organization_id",
            "email",
            "once",
            name=op.f("messages_organization_id_email_once_unique"),
        ),
    )
    op.create_index(
        "messages_by_person",
        "messages",
        ["organization_id", "email", sa.literal_column("made_at desc")],
        unique=False,
    )
    op.create_index("messages_by_time", "messages", ["made_at"], unique=False)
    op.create_index(
        "messages_to_deliver",
        "messages",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.create_table(
        "news",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("news_run_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("news_pkey")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("own", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('succeeded', 'partial', 'failed', 'waiting', 'recovered', 'stale', 'fresh', 'paused', 'cancelled', 'expired')",
            name=op.f("notices_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("notices_organization_id_exists")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("notices_run_id_exists")),
        sa.PrimaryKeyConstraint("id", name=op.f("notices_pkey")),
    )
    op.create_index("notices_by_time", "notices", ["at"], unique=False)
    op.create_index(
        "notices_of_a_person",
        "notices",
        ["organization_id", "email", sa.literal_column("id desc")],
        unique=False,
    )
    _tell_of_runs()
    _remember_freshness()


def _tell_of_runs() -> None:
    """Write that a run has ended, or waits, in the transaction in which it does."""
    op.execute(
        """
        create function note_news_of_run() returns trigger language plpgsql as $$
        begin
            insert into news (organization_id, resource, run_id, status)
            values (new.organization_id, new.resource, new.id, new.status);
            return null;
        end $$
        """
    )
    op.execute(
        """
        create trigger runs_are_news after update of status on runs for each row
        when (new.status is distinct from old.status
              and (new.finished_at is not null or new.status = 'waiting'))
        execute function note_news_of_run()
        """
    )


def _remember_freshness() -> None:
    """Take what is in step now for fresh; what is too old is told once."""
    op.execute(
        """
        insert into conditions (organization_id, resource, topic, state, run_id, since)
        select distinct on (organization_id, resource)
            organization_id, resource, 'freshness', 'fresh', id, finished_at
        from runs
        where status in ('completed', 'partial') and kind = 'sync' and trigger <> 'demo data'
        order by organization_id, resource, finished_at desc
        """
    )


def downgrade() -> None:
    op.execute("drop trigger runs_are_news on runs")
    op.execute("drop function note_news_of_run()")
    op.drop_index("notices_of_a_person", table_name="notices")
    op.drop_index("notices_by_time", table_name="notices")
    op.drop_table("notices")
    op.drop_table("news")
    op.drop_index(
        "messages_to_deliver",
        table_name="messages",
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.drop_index("messages_by_time", table_name="messages")
    op.drop_index("messages_by_person", table_name="messages")
    op.drop_table("messages")
    op.drop_table("conditions")
    op.drop_table("wishes")
    op.drop_table("channels")
