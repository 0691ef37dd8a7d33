"""SHA-256 over every outcome, as a tree that the audit's links hold; links that jump far back."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LOCK = 1_937_337_955  # as in 0004: class of the advisory locks of who adds a link


def upgrade() -> None:
    op.create_table(
        "outcome_batches",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("outcome_batches_run_id_exists")
        ),
        sa.PrimaryKeyConstraint("run_id", "entity", "number", name=op.f("outcome_batches_pkey")),
    )
    op.add_column("outcomes", sa.Column("values_hash", sa.LargeBinary(), nullable=True))
    op.add_column("links", sa.Column("form", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("links", sa.Column("jump", sa.BigInteger(), nullable=True))
    _hash_outcomes()
    _hash_links()
    _link()
    _guard()


def downgrade() -> None:
    raise RuntimeError("the audit's chain stays")


def _hash_outcomes() -> None:
    """Define the texts of an outcome, and the hashes over them.

    They are stable, as convert_to and json_build_array are: so Postgres puts them in line.
    """
    op.execute(
        """
        create function text_of_facts(
            run bigint, entity text, kind text, row_number integer, key text, rule text,
            row_hash bigint, at timestamptz
        ) returns text language sql stable parallel safe as $$
            select json_build_array(run, entity, kind, row_number, key, rule, row_hash,
                                    at at time zone 'UTC')::text
        $$
        """
    )
    op.execute(
        """
        create function text_of_values(name text, changes jsonb, issues jsonb, raw jsonb)
        returns text language sql stable parallel safe as $$
            select json_build_array(name, changes, issues, raw)::text
        $$
        """
    )
    op.execute(
        """
        create function hash_of_text(words text) returns bytea
        language sql stable parallel safe as $$ select sha256(convert_to(words, 'UTF8')) $$
        """
    )
    op.execute(
        """
        create function hash_of_outcome(facts text, hash_of_values bytea) returns bytea
        language sql stable parallel safe as $$
            select sha256(convert_to(facts, 'UTF8') || hash_of_values)
        $$
        """
    )
    op.execute(
        r"""
        create function hash_of_nodes(nodes bytea) returns bytea
        language sql immutable parallel safe as $$ select sha256('\x01'::bytea || nodes) $$
        """
    )
    op.execute(
        """
        create function root_of_run(wanted bigint) returns bytea language sql stable as $$
            select hash_of_nodes(string_agg(root, ''::bytea order by entity collate "C")) from (
                select entity, hash_of_nodes(string_agg(root, ''::bytea order by number)) as root
                from (
                    select entity, number >> 4 as number,
                           hash_of_nodes(string_agg(root, ''::bytea order by number)) as root
                    from (
                        select entity, b.number >> 4 as number,
                               hash_of_nodes(string_agg(root, ''::bytea order by b.number)) as root
                        from outcome_batches b where run_id = wanted group by 1, 2
                    ) sixteen_batches group by 1, 2
                ) more group by 1
            ) entities
        $$
        """
    )


def _hash_links() -> None:
    """Define what links of the second form hash: they say how far back their other one is."""
    op.execute(
        """
        create function content_of(kind text, subject bigint, form smallint) returns bytea
        language sql stable as $$
            select case when form = 1 or kind <> 'run' then content_of(kind, subject) else
                sha256(content_of(kind, subject) || coalesce(root_of_run(subject), '')) end
        $$
        """
    )
    op.execute(
        """
        create function hash_of_link(
            previous bytea, jumped bytea, organization bigint, number bigint, jump bigint,
            kind text, subject bigint, content bytea
        ) returns bytea language sql stable as $$
            select sha256(convert_to(
                format('2:%s:%s:%s:%s:%s:', organization, number, jump, kind, subject), 'UTF8')
                || coalesce(previous, '') || coalesce(jumped, '') || content)
        $$
        """
    )


def _link() -> None:
    """Let each link jump: from any of a million to any before it, few dozens lead.

    The rule is that of E. W. Myers' applicative random-access stack: where the last two jumps are
    of one length, the next one is over both, else it is to the link before.
    """
    op.execute(
        """
        create function jump_after(organization bigint, last bigint) returns bigint
        language sql stable as $$
            with recent as (
                select last - first.jump as length, first.jump as landed,
                       coalesce((select coalesce(l.jump, greatest(l.number - 1, 0)) from links l
                                 where l.organization_id = organization and l.number = first.jump),
                                0) as second
                from (select coalesce(l.jump, greatest(l.number - 1, 0)) as jump from links l
                      where l.organization_id = organization and l.number = last) first
            )
            select coalesce(
                (select case when length = landed - second then second else last end from recent), 0)
        $$
        """
    )
    op.execute(
        f"""
        create or replace function add_link(organization bigint, kind text, subject bigint)
        returns void language plpgsql as $$
        declare
            noted text := coalesce(current_setting('syncdesk.organizations', true), '');
            last record;
            place bigint;
            far bigint;
            jumped bytea;
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
            far := jump_after(organization, last.number);
            select l.hash into jumped from links l
                where l.organization_id = organization and l.number = far;
            content := content_of(kind, subject, 2::smallint);
            insert into links (organization_id, number, kind, subject_id, form, jump, content, hash)
            values (organization, place, kind, subject, 2, far, content,
                    hash_of_link(last.hash, jumped, organization, place, far, kind, subject,
                                 content));
        end $$
        """  # noqa: S608 - a number of ours
    )


def _guard() -> None:
    """Refuse to change the batches of an ended run; where values are dropped, keep their hash."""
    op.execute(
        "create trigger outcome_batches_stay before insert or update or delete on outcome_batches"
        " for each row execute function refuse_change_of_linked_run()"
    )
    op.execute(
        """
        create or replace function refuse_change_of_outcome() returns trigger language plpgsql
        as $$
        begin
            if tg_op = 'UPDATE'
               and num_nonnulls(new.name, new.changes, new.issues, new.raw) = 0
               and (new.run_id, new.entity, new.kind, new.row_number, new.key, new.rule,
                    new.row_hash, new.at)
                   is not distinct from (old.run_id, old.entity, old.kind, old.row_number,
                                         old.key, old.rule, old.row_hash, old.at)
               and new.values_hash is not distinct from coalesce(old.values_hash, hash_of_text(
                       text_of_values(old.name, old.changes, old.issues, old.raw)))
            then
                return new; -- the values of an old outcome are dropped, its facts stay
            end if;
            raise exception 'outcomes do not change: % is refused', tg_op;
        end $$
        """
    )
