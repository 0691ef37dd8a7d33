"""The tables of our own."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB

from sync_core.foundation.vocabulary import (
    ACTIVE,
    APPLIED,
    ENDED,
    IN_STEP,
    LEFT_OUT,
    ChannelKind,
    DigestPace,
    NoticeKind,
    OutcomeKind,
    PauseReason,
    Removal,
    Role,
    RunKind,
    RunStatus,
    Theme,
    Topic,
)

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_unique",
        "fk": "%(table_name)s_%(column_0_N_name)s_exists",
        "ck": "%(table_name)s_%(constraint_name)s",
        "ix": "%(table_name)s_%(column_0_N_name)s",
    }
)


def moment(name: str, *, default: bool = False) -> sa.Column[object]:
    """Describe a column of moments, which may be empty unless it is the row's own."""
    now = sa.text("clock_timestamp()") if default else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=not default)


def _text(name: str, *, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, server_default=default, nullable=nullable)


def _json(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, JSONB, server_default=default, nullable=False)


def _organization(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "organization_id",
        sa.BigInteger,
        sa.ForeignKey("organizations.id"),
        primary_key=primary_key,
        nullable=False,
    )


def _run(name: str = "run_id", *, primary_key: bool = True) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey("runs.id"), primary_key=primary_key)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, server_default="0", nullable=False)


def _newest_first(name: str, column: str, at: str, where: str | None = None) -> sa.Index:
    """Index the entries of the audit by one of their columns, in the order of its list."""
    order = (sa.text(f"{at} desc"), sa.text("id desc"))
    condition = sa.text(where) if where else None
    return sa.Index(name, "organization_id", column, *order, postgresql_where=condition)


def _one_of(name: str, values: Iterable[str]) -> sa.CheckConstraint:
    return sa.CheckConstraint(_is_one_of(name, values), f"{name}_known")


def _is_one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} in ({', '.join(repr(str(value)) for value in values)})"


HAPPENED = "coalesce(finished_at, queued_at)"  # when a run stands in the audit
IS_ACTIVE = sa.text(_is_one_of("status", ACTIVE))  # of which there is one a resource
IS_CREATION = sa.text(_is_one_of("outcomes.kind", (OutcomeKind.CREATED,)))
IS_CHANGE = sa.text(_is_one_of("outcomes.kind", (OutcomeKind.UPDATED, OutcomeKind.REMOVED)))


organizations = sa.Table(
    "organizations",
    metadata,
    _id(),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    _text("name"),
    _text("country", default="AU"),
    _text("time_zone", default="UTC"),
    moment("created_at", default=True),
    sa.Column("four_eyes", sa.Boolean, server_default=sa.false(), nullable=False),
    # it reads by the accounts that several share only what is in allowed_sources
    sa.Column("only_allowed", sa.Boolean, server_default=sa.false(), nullable=False),
)

people = sa.Table(
    "people",
    metadata,
    _id(),
    _organization(),
    _text("email"),
    _text("name"),
    _text("role"),
    _text("team", default=""),
    moment("created_at", default=True),
    moment("accepted_at"),  # null: the place is offered, and not taken yet
    moment("chosen_at"),  # when it became the organization that opens first
    _text("issuer", nullable=True),  # with `subject`, the account of the first sign-in
    _text("subject", nullable=True),
    moment("epoch"),  # sign-ins that began before do not count here
    sa.UniqueConstraint("organization_id", "email"),
    sa.CheckConstraint("(issuer is null) = (subject is null)", "one_account"),
    _one_of("role", Role),
    sa.Index("people_by_email", "email"),
)

# The sign-ins by which people ask, each known by a digest of its claims, until they are too old.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),
    _text("issuer"),
    _text("subject"),
    _text("email"),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),  # as claimed
    sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),  # by our clock, if earlier
    moment("ended_at"),
    sa.Index("sign_ins_by_account", "issuer", "subject"),
    sa.Index("sign_ins_by_age", "at"),
)

sources = sa.Table(
    "sources",
    metadata,
    _organization(primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    _text("kind"),
    _text("location"),
    _text("tab", nullable=True),
    _text("locale", nullable=True),
    sa.Column("header_row", sa.Integer),  # null: it is found by its labels
    moment("set_at", default=True),
)

allowed_sources = sa.Table(
    "allowed_sources",
    metadata,
    _organization(primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("location", sa.Text, primary_key=True),
    moment("allowed_at", default=True),
)

policies = sa.Table(
    "policies",
    metadata,
    _organization(primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("fresh_hours", sa.Integer, nullable=False),
    _text("removal", nullable=True),
    sa.Column("limit_minutes", sa.Integer),
    _json("guards"),  # `policies.Guards`; what it does not name is as by default
    sa.CheckConstraint("fresh_hours > 0", "fresh_some_time"),
    sa.CheckConstraint("limit_minutes > 0", "limited_to_some_time"),
    _one_of("removal", Removal),
)

runs = sa.Table(
    "runs",
    metadata,
    _id(),
    _organization(),
    _text("resource"),
    _text("kind", default=RunKind.SYNC),
    _text("trigger"),
    _text("status", default=RunStatus.QUEUED),
    sa.Column("attempt", sa.Integer, server_default="0", nullable=False),
    sa.Column("crashes", sa.Integer, server_default="0", nullable=False),
    _text("requested_by"),
    _text("requested_email"),
    _text("requested_team", default=""),
    moment("queued_at", default=True),
    moment("active_since", default=True),
    moment("pushed_at"),
    moment("started_at"),
    moment("finished_at"),
    _text("message", default=""),
    _text("log_message", default=""),
    _text("error_code", nullable=True),
    _text("advice", default=""),
    _json("notes", "[]"),
    _json("phases"),
    _run("undoes", primary_key=False),
    _run("retries", primary_key=False),  # whose failed rows alone are applied
    sa.Column("plans", JSONB),  # of a run that waits, or did (`runs.plans`)
    _one_of("status", RunStatus),
    _one_of("kind", RunKind),
    sa.CheckConstraint(
        f"(finished_at is not null) = ({_is_one_of('status', ENDED)})",
        "finished_when_ended",
    ),
    sa.Index(
        "runs_one_active",
        "organization_id",
        "resource",
        unique=True,
        postgresql_where=IS_ACTIVE,
    ),
    sa.Index("runs_by_resource", "organization_id", "resource", sa.text("id desc")),
    sa.Index("runs_to_decide", "id", postgresql_where=sa.text(f"status = '{RunStatus.WAITING}'")),
    _newest_first("runs_by_status", "status", HAPPENED),
    _newest_first("runs_by_trigger", "trigger", HAPPENED),
    _newest_first("runs_by_person", "requested_email", HAPPENED),
    _newest_first("runs_by_team", "requested_team", HAPPENED),
    _newest_first("runs_by_error", "error_code", HAPPENED, "error_code is not null"),
    sa.Index(
        "runs_as_they_happened", "organization_id", sa.text(f"{HAPPENED} desc"), sa.text("id desc")
    ),
    sa.Index(
        "runs_by_time",  # figures over months are read from it alone
        "organization_id",
        sa.text("queued_at desc"),
        sa.text("id desc"),
        postgresql_include="resource kind trigger status started_at finished_at error_code".split(),
    ),
    sa.Index(
        "runs_in_step",  # when data were in step, and what came after a failure
        "organization_id",
        "resource",
        "finished_at",
        postgresql_where=sa.text(
            f"{_is_one_of('status', APPLIED)} and {_is_one_of('kind', IN_STEP)}"
        ),
    ),
    sa.Index(
        "runs_that_undo",  # what is not in step any more
        "organization_id",
        "resource",
        "finished_at",
        postgresql_where=sa.text(f"kind = '{RunKind.UNDO}'"),
    ),
)

attempts = sa.Table(
    "attempts",
    metadata,
    _run(),
    sa.Column("attempt", sa.Integer, primary_key=True),
    _text("worker"),
    moment("started_at", default=True),
    moment("ended_at"),
    _text("ended", nullable=True),
    _json("log", "[]"),
)

# Apart from the runs, so that a heartbeat or a Cancel never waits for a long apply.
leases = sa.Table(
    "leases",
    metadata,
    _run(),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("worker"),
    sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
    moment("cancel_requested_at"),
    _text("cancel_requested_by", nullable=True),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    _run(),
    sa.Column("entity", sa.Text, primary_key=True),
    _count("staged"),
    _count("blank"),
    _count("keyless"),
    sa.Column("cursor", JSONB),
    sa.Column("complete", sa.Boolean, server_default=sa.false(), nullable=False),
    _json("sheet"),
    _json("traffic"),  # of the sheet once it was read (`runs.traffic`)
    _json("observed"),  # in the rows read so far (`engine.observations`)
    _json("figures"),  # once the plan is made (`runs.figures`)
)

tallies = sa.Table(
    "tallies",
    metadata,
    _run(),
    sa.Column("entity", sa.Text, primary_key=True),
    _count("read"),
    *(_count(kind) for kind in OutcomeKind),
    _count("blank"),
    _json("rules"),
    _text("facts_digest", nullable=True),  # of the run's outcomes, before there were batches
    _text("values_digest", nullable=True),
    sa.CheckConstraint("read = created + updated + unchanged + skipped + failed", "add_up"),
)

# Why rows failed, counted when the run ends: nobody has to look through the outcomes for it.
issue_tallies = sa.Table(
    "issue_tallies",
    metadata,
    _run(),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),  # failed ones that carry the code
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("run_id", sa.BigInteger, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("row_number", sa.Integer),
    sa.Column("key", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("rule", sa.Text),
    sa.Column("row_hash", sa.BigInteger),
    sa.Column("changes", JSONB),
    sa.Column("issues", JSONB),
    sa.Column("raw", JSONB),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("values_hash", sa.LargeBinary),  # stands for name, changes, issues, raw: dropped
    sa.Index("outcomes_by_run", "run_id", postgresql_using="brin"),
    sa.Index(
        "outcomes_for_a_person",
        "run_id",
        "entity",
        "row_number",
        postgresql_where=sa.text(_is_one_of("kind", LEFT_OUT)),
    ),
    # The history of a record. A first load creates a million at once: those are found by a filter
    # over each 32 pages, which costs a load nothing, where a tree would cost it a seventh.
    sa.Index("outcomes_of_a_record", "entity", "key", postgresql_where=IS_CHANGE),
    sa.Index(
        "outcomes_that_created",
        "key",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32},
        postgresql_ops={"key": "text_bloom_ops (n_distinct_per_range=2500)"},
        postgresql_where=IS_CREATION,
    ),
    postgresql_partition_by="RANGE (at)",
)

# Of some 4,096 outcomes of an ended run, the SHA-256 over all of them (`outcome_format.batches`).
outcome_batches = sa.Table(
    "outcome_batches",
    metadata,
    _run(),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
)

actions = sa.Table(
    "actions",
    metadata,
    _id(),
    _organization(),
    moment("at", default=True),
    _text("name"),
    _text("email"),
    _text("team", default=""),
    _text("kind"),
    _text("resource", nullable=True),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id")),
    _json("detail"),
    sa.Index("actions_by_time", "organization_id", sa.text("at desc"), sa.text("id desc")),
    _newest_first("actions_by_kind", "kind", "at"),
    _newest_first("actions_by_person", "email", "at"),
    _newest_first("actions_by_team", "team", "at"),
    _newest_first("actions_by_resource", "resource", "at"),
)

# The audit's chain: a link for each ended run and each action, made by triggers at the commit.
links = sa.Table(
    "links",
    metadata,
    sa.Column("organization_id", sa.BigInteger, primary_key=True),  # a key would lock its row
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("kind"),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),  # SHA-256 of what the subject said
    sa.Column("hash", sa.LargeBinary, nullable=False),  # of the link before, and of this one
    sa.Column("form", sa.SmallInteger, nullable=False, server_default="1"),  # of what is hashed
    sa.Column("jump", sa.BigInteger),  # the number of the earlier link that it hashes, too
    sa.UniqueConstraint("subject_id", "kind"),
    _one_of("kind", ("run", "action")),
)

verifications = sa.Table(
    "verifications",
    metadata,
    _organization(primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
    _count("links"),
    sa.Column("head", sa.LargeBinary),  # the hash of the last link
    _text("broken", nullable=True),  # the first broken link, in a sentence
)

# A file that somebody gave as the source of one run; what it holds goes when the run has ended.
uploads = sa.Table(
    "uploads",
    metadata,
    _id(),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id"), nullable=False, index=True),
    sa.Column("entities", sa.ARRAY(sa.Text), nullable=False),  # that are read from it
    _text("name"),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
    _text("sha256"),
    _text("locale", nullable=True),
)

upload_chunks = sa.Table(
    "upload_chunks",
    metadata,
    sa.Column(
        "upload_id",
        sa.BigInteger,
        sa.ForeignKey("uploads.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

# What was asked for with a key of the asker's own, so that asking again makes no second run.
requests_once = sa.Table(
    "requests_once",
    metadata,
    _organization(primary_key=True),
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("asked"),  # SHA-256 of what was asked for
    moment("at", default=True),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id")),
    sa.Index("requests_once_by_time", "at"),
)

# What a program shows instead of a sign-in; of its secret there is only the SHA-256.
tokens = sa.Table(
    "tokens",
    metadata,
    _id(),
    _organization(),
    _text("name"),
    _text("role"),
    sa.Column("permissions", sa.ARRAY(sa.Text)),  # null: all of the role
    sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
    _text("made_by"),
    _text("made_email"),
    _text("made_team", default=""),
    moment("made_at", default=True),
    moment("ends_at"),  # null: it does not end by itself
    moment("used_at"),  # to the minute
    moment("revoked_at"),
    _one_of("role", Role),
    sa.Index(
        "tokens_by_name",
        "organization_id",
        "name",
        unique=True,
        postgresql_where=sa.text("revoked_at is null"),
    ),
)

# When a worker took a run of an organization last: the others come before its next one.
turns = sa.Table(
    "turns",
    metadata,
    _organization(primary_key=True),
    moment("at", default=True),
)

# What somebody asked for by Sync all: a run of each resource, those first that others refer to.
batches = sa.Table(
    "batches",
    metadata,
    _id(),
    _organization(),
    _text("trigger"),
    _text("requested_by"),
    _text("requested_email"),
    _text("requested_team", default=""),
    moment("at", default=True),
    moment("finished_at"),
    sa.Index(
        "batches_one_at_once",
        "organization_id",
        unique=True,
        postgresql_where=sa.text("finished_at is null"),
    ),
    sa.Index("batches_by_organization", "organization_id", sa.text("id desc")),
)

batch_parts = sa.Table(
    "batch_parts",
    metadata,
    sa.Column("batch_id", sa.BigInteger, sa.ForeignKey("batches.id"), primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id")),  # null: it waits, or was skipped
    _text("skipped", nullable=True),  # code of the reason
)

# When a resource is synced by itself; `next_at` follows from the rest, in the organization's zone.
sync_schedules = sa.Table(
    "sync_schedules",
    metadata,
    _organization(primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    _text("cron"),
    sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),  # set, or resumed
    _text("set_by"),
    moment("paused_at"),
    _text("paused_by", nullable=True),
    _text("pause_reason", nullable=True),
    _one_of("pause_reason", PauseReason),
    sa.CheckConstraint(
        "(paused_at is null) = (pause_reason is null)",
        "paused_for_a_reason",
    ),
    sa.Index("sync_schedules_due", "next_at", postgresql_where=sa.text("paused_at is null")),
)

# What became of each tick of a schedule: it comes once, however many look after the schedules.
schedule_ticks = sa.Table(
    "schedule_ticks",
    metadata,
    _organization(primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
    moment("noted_at", default=True),
    sa.Column("late", sa.Boolean, server_default=sa.false(), nullable=False),
    _count("missed"),  # ticks before it of which nobody took note
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("runs.id")),  # null: it was skipped
    _text("skipped", nullable=True),  # code of the reason
    sa.CheckConstraint("(run_id is null) = (skipped is not null)", "started_or_skipped"),
    sa.Index("schedule_ticks_by_time", "noted_at"),
    sa.Index("schedule_ticks_of_runs", "run_id"),
)

# After how many days an organization drops old values, each night.
retentions = sa.Table(
    "retentions",
    metadata,
    _organization(primary_key=True),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("days > 0", "some_days"),
)

dismissals = sa.Table(
    "dismissals",
    metadata,
    _run(),
    sa.Column("email", sa.Text, primary_key=True),
    moment("at", default=True),
)

# What happened of which nobody was told yet: written by the transaction in which it happens (of a
# run, by a trigger), and taken away by the one that tells it.
news = sa.Table(
    "news",
    metadata,
    _id(),
    sa.Column("organization_id", sa.BigInteger, nullable=False),  # a key would lock its row
    _text("resource"),
    _run(primary_key=False),  # null: its schedule was paused
    _text("status", nullable=True),  # of the run, at the moment
    _text("reason", default=""),  # of the pause
    moment("at", default=True),
)

# What people were told last of each resource: they are told again when it changes.
conditions = sa.Table(
    "conditions",
    metadata,
    _organization(primary_key=True),
    sa.Column("resource", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    _text("state"),  # a NoticeKind
    _text("reason", default=""),  # codes: where they change, it is another state
    _run(primary_key=False),
    moment("since", default=True),  # of freshness: when the resource was last in step
    _one_of("topic", Topic),
    _one_of("state", NoticeKind),
)

# What each person was told in the pages: their inbox.
notices = sa.Table(
    "notices",
    metadata,
    _id(),
    _organization(),
    _text("email"),
    _text("kind"),
    _text("resource"),
    _run(primary_key=False),
    _text("text"),
    sa.Column("own", sa.Boolean, server_default=sa.false(), nullable=False),  # they asked for it
    moment("at", default=True),
    moment("read_at"),
    _one_of("kind", NoticeKind),
    sa.Index("notices_of_a_person", "organization_id", "email", sa.text("id desc")),
    sa.Index("notices_by_time", "at"),
)

# What each person wishes to be told, and how; who decided nothing has no row.
wishes = sa.Table(
    "wishes",
    metadata,
    _organization(primary_key=True),
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("kinds", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("resources", sa.ARRAY(sa.Text)),  # null: all, those to come, too
    sa.Column("by_mail", sa.Boolean, nullable=False),
    sa.Column("failed_rows", sa.Boolean, nullable=False),  # as a file with the mail
    _text("digest", default=DigestPace.NEVER),
    moment("set_at", default=True),
    _one_of("digest", DigestPace),
)

# What people have saved of a page for themselves: the parameters of its address.
saved_views = sa.Table(
    "saved_views",
    metadata,
    _organization(primary_key=True),
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("page", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("address", JSONB, nullable=False),
    moment("made_at", default=True),
)

# How people want the pages, in whatever organization; who chose nothing has no row.
preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("email", sa.Text, primary_key=True),
    _text("theme", default=Theme.SYSTEM),
    _text("time_zone", nullable=True),  # null: that of the browser
    sa.Column("shortcuts", sa.Boolean, server_default=sa.true(), nullable=False),
    moment("set_at", default=True),
    _one_of("theme", Theme),
)

# Where an organization as a whole is told; addresses that are secrets stand in the environment.
channels = sa.Table(
    "channels",
    metadata,
    _id(),
    _organization(),
    _text("name"),
    _text("kind"),
    _text("location", default=""),  # an e-mail address, or a webhook's
    sa.Column("kinds", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("resources", sa.ARRAY(sa.Text)),
    _text("digest", default=DigestPace.NEVER),
    moment("made_at", default=True),
    sa.UniqueConstraint("organization_id", "name"),
    _one_of("kind", ChannelKind),
    _one_of("digest", DigestPace),
)

# The outbox: a message to a person or to a channel, until it was delivered or given up.
messages = sa.Table(
    "messages",
    metadata,
    _id(),
    _organization(),
    _text("email", nullable=True),
    sa.Column("channel_id", sa.BigInteger, sa.ForeignKey("channels.id", ondelete="CASCADE")),
    _text("once", nullable=True),  # what is sent but once, such as the digest of a day
    _json("content"),
    moment("made_at", default=True),
    moment("newest_at", default=True),  # of what it tells
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    moment("claimed_until"),  # somebody delivers it at the moment
    sa.Column("tries", sa.Integer, server_default="0", nullable=False),
    _text("last_error", default=""),
    moment("sent_at"),
    moment("given_up_at"),
    sa.CheckConstraint("num_nonnulls(email, channel_id) = 1", "to_one"),
    sa.UniqueConstraint("organization_id", "email", "once"),
    sa.UniqueConstraint("channel_id", "once"),
    sa.Index(
        "messages_to_deliver",
        "due_at",
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    ),
    sa.Index("messages_by_person", "organization_id", "email", sa.text("made_at desc")),
    sa.Index("messages_by_time", "made_at"),
)


def make_partitions(connection: Connection, months: int = 3) -> None:
    """Make the monthly partitions of the outcomes ahead of time; those that exist are kept."""
    connection.execute(
        sa.text("select make_outcome_partitions(current_date, :months)"), {"months": months}
    )
