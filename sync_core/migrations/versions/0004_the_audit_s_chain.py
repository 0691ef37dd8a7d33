"""The audit's chain: links of ended runs and actions, and guards over all that they cover."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOCK = 1_937_337_955  # class of the advisory locks, one for each organization: who adds a link


def upgrade() -> None:
    op.add_column("tallies", sa.Column("facts_digest", sa.Text(), nullable=True))
    op.add_column("tallies", sa.Column("values_digest", sa.Text(), nullable=True))
    op.create_table(
        "links",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('run', 'action')", name=op.f("links_kind_known")),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("links_pkey")),
        sa.UniqueConstraint("subject_id", "kind", name=op.f("links_subject_id_kind_unique")),
    )
    op.create_table(
        "verifications",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("links", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=True),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("verifications_organization_id_exists"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "at", name=op.f("verifications_pkey")),
    )
    _order_lists_by_time_and_id()
    _find_quickly()
    _find_words_quickly()
    _say_what_is_hashed()
    _link()
    _guard()
    _link_what_is_there()


def downgrade() -> None:
    raise RuntimeError("the audit's chain stays")


def _order_lists_by_time_and_id() -> None:
    for table, name, at in (
        ("runs", "runs_by_time", "queued_at"),
        ("actions", "actions_by_time", "at"),
    ):
        op.drop_index(name, table)
        when = sa.text(f"{at} desc")
        op.create_index(name, table, ["organization_id", when, sa.text("id desc")], unique=False)


def _find_quickly() -> None:
    """Index what the audit's filters ask for, in the order of its list."""
    for table, at, columns in (
        (
            "runs",
            "queued_at",
            {"status": "status", "trigger": "trigger", "person": "requested_email"},
        ),
        ("runs", "queued_at", {"team": "requested_team", "error": "error_code"}),
        ("actions", "at", {"kind": "kind", "person": "email", "team": "team"}),
        ("actions", "at", {"resource": "resource"}),
    ):
        for name, column in columns.items():
            op.create_index(
                f"{table}_by_{name}",
                table,
                ["organization_id", column, sa.text(f"{at} desc"), sa.text("id desc")],
                unique=False,
                postgresql_where=sa.text(f"{column} is not null") if name == "error" else None,
            )


WORDS = {  # as `filters` puts them together
    "runs": "coalesce(resource, '') || E'\\n' || requested_by || E'\\n' || requested_email || E'\\n' || log_message",
    "actions": "coalesce(resource, '') || E'\\n' || name || E'\\n' || email || E'\\n' || kind"
    " || E'\\n' || detail::text",
}


def _find_words_quickly() -> None:
    """Index the words of the audit's search where Postgres has pg_trgm; it works without."""
    op.execute(
        """
        do $$
        begin
            create extension if not exists pg_trgm;
        exception when others then
            raise notice 'pg_trgm is not to be had: %', sqlerrm;
        end $$
        """
    )
    has = sa.text("select exists (select from pg_extension where extname = 'pg_trgm')")
    if op.get_bind().execute(has).scalar_one():
        for table, words in WORDS.items():
            op.execute(
                f"create index {table}_by_words on {table} using gin (({words}) gin_trgm_ops)"
            )


def _say_what_is_hashed() -> None:
    """Define the text of a run, and of an action, that their links hash.

    Every column that there is at this revision, in any session's time zone and collation. Columns
    of later revisions are not covered: those need a second version of these functions, and links
    that say which one they were made with (a test names such columns).
    """
    op.execute(
        f"""
        create function text_of_run(wanted bigint) returns text language sql stable as $$
            select jsonb_build_array(
                {_columns("runs", "r")},
                (select jsonb_agg(jsonb_build_array({_columns("tallies", "t")})
                    order by t.entity collate "C") from tallies t where t.run_id = r.id),
                (select jsonb_agg(jsonb_build_array({_columns("attempts", "a")})
                    order by a.attempt) from attempts a where a.run_id = r.id)
            )::text from runs r where r.id = wanted and r.finished_at is not null
        $$
        """  # noqa: S608 - of Postgres' own names
    )
    op.execute(
        f"""
        create function text_of_action(wanted bigint) returns text language sql stable as $$
            select jsonb_build_array({_columns("actions", "a")})::text
            from actions a where a.id = wanted
        $$
        """  # noqa: S608 - of Postgres' own names
    )
    op.execute(
        """
        create function content_of(kind text, subject bigint) returns bytea language sql stable
        as $$
            select sha256(convert_to(
                case kind when 'run' then text_of_run(subject) else text_of_action(subject) end,
                'UTF8'))
        $$
        """
    )
    op.execute(
        """
        create function hash_of_link(
            previous bytea, organization bigint, number bigint, kind text, subject bigint,
            content bytea
        ) returns bytea language sql stable as $$
            select sha256(coalesce(previous, '') || convert_to(
                format('%s:%s:%s:%s:', organization, number, kind, subject), 'UTF8') || content)
        $$
        """
    )


def _columns(table: str, alias: str) -> str:
    """List the table's columns; moments without a zone, which each session would write anew."""
    listed = []
    for column in sa.inspect(op.get_bind()).get_columns(table):
        name = f'{alias}."{column["name"]}"'
        is_moment = isinstance(column["type"], postgresql.TIMESTAMP)
        listed.append(f"{name} at time zone 'UTC'" if is_moment else name)
    return ", ".join(listed)


def _link() -> None:
    """Add the links at the commit, so that nobody waits for a transaction that is not ending.

    Whoever adds links holds the lock of the organization until the commit is through. Several
    organizations are locked in the order of their numbers, so that two never wait for each other.
    """
    op.execute(
        """
        create function note_organization() returns trigger language plpgsql as $$
        declare
            noted text := coalesce(current_setting('syncdesk.organizations', true), '');
            this text := ',' || new.organization_id || ',';
        begin
            if position(this in noted) = 0 then
                perform set_config('syncdesk.organizations', noted || this, true);
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        f"""
        create function add_link(organization bigint, kind text, subject bigint) returns void
        language plpgsql as $$
        declare
            noted text := coalesce(current_setting('syncdesk.organizations', true), '');
            last record;
            place bigint;
            content bytea;
        begin
            if noted <> '' then
                perform pg_advisory_xact_lock({LOCK}, o::integer) from (
                    select o::bigint from unnest(string_to_array(noted, ',')) o where o <> ''
                    order by 1) sorted;
                perform set_config('syncdesk.organizations', '', true);
            end if;
            perform pg_advisory_xact_lock({LOCK}, organization::integer);
            select l.number, l.hash into last from links l
                where l.organization_id = organization order by l.number desc limit 1;
            place := coalesce(last.number, 0) + 1;
            content := content_of(kind, subject);
            insert into links (organization_id, number, kind, subject_id, content, hash) values
                (organization, place, kind, subject, content,
                 hash_of_link(last.hash, organization, place, kind, subject, content));
        end $$
        """  # noqa: S608 - a number of ours
    )
    for table, kind, which in (
        ("runs", "run", "insert or update"),
        ("actions", "action", "insert"),
    ):
        ended = "when (new.finished_at is not null)" if kind == "run" else ""
        op.execute(
            f"""
            create function link_{kind}() returns trigger language plpgsql as $$
            begin
                perform add_link(new.organization_id, '{kind}', new.id);
                return null;
            end $$
            """
        )
        op.execute(
            f"create trigger {table}_are_noted after {which} on {table} for each row {ended}"
            " execute function note_organization()"
        )
        op.execute(
            f"create constraint trigger {table}_are_linked after {which} on {table}"
            f" deferrable initially deferred for each row {ended} execute function link_{kind}()"
        )


def _guard() -> None:
    """Refuse to change or delete what the chain covers."""
    op.execute(
        """
        create function refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception 'the audit trail keeps its %: % is refused', tg_table_name, tg_op;
        end $$
        """
    )
    op.execute(
        """
        create function refuse_change_of_linked_run() returns trigger language plpgsql as $$
        declare
            changed bigint := case tg_op when 'INSERT' then new.run_id else old.run_id end;
        begin
            if exists (select from links where kind = 'run' and subject_id = changed) then
                raise exception 'run % has ended: its % do not change', changed, tg_table_name;
            end if;
            return case tg_op when 'DELETE' then old else new end;
        end $$
        """
    )
    op.execute(
        """
        create function refuse_change_of_outcome() returns trigger language plpgsql as $$
        begin
            if tg_op = 'UPDATE'
               and num_nonnulls(new.name, new.changes, new.issues, new.raw) = 0
               and (new.run_id, new.entity, new.kind, new.row_number, new.key, new.rule,
                    new.row_hash, new.at)
                   is not distinct from (old.run_id, old.entity, old.kind, old.row_number,
                                         old.key, old.rule, old.row_hash, old.at)
            then
                return new; -- the values of an old outcome are dropped, its facts stay
            end if;
            raise exception 'outcomes do not change: % is refused', tg_op;
        end $$
        """
    )
    for table, what in (
        ("runs", "delete"),
        ("actions", "update or delete"),
        ("links", "update or delete"),
    ):
        op.execute(
            f"create trigger {table}_stay before {what} on {table} for each row"
            " execute function refuse_change()"
        )
        op.execute(
            f"create trigger {table}_stay_all before truncate on {table} for each statement"
            " execute function refuse_change()"
        )
    for table in ("tallies", "attempts"):
        op.execute(
            f"create trigger {table}_stay before insert or update or delete on {table}"
            " for each row execute function refuse_change_of_linked_run()"
        )
    op.execute(
        "create trigger outcomes_stay before update or delete on outcomes for each row"
        " execute function refuse_change_of_outcome()"
    )


def _link_what_is_there() -> None:
    """Link what ended before this migration, in the order in which it happened."""
    op.execute(
        """
        do $$
        declare
            one record;
        begin
            for one in
                select organization_id, 'run' as kind, id, finished_at as at from runs
                where finished_at is not null
                union all select organization_id, 'action', id, at from actions
                order by organization_id, at, kind, id
            loop
                perform add_link(one.organization_id, one.kind, one.id);
            end loop;
        end $$
        """
    )
