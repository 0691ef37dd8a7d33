"""Every table of the trail refuses to be emptied; verifications and counts of issues stay."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create trigger verifications_stay before update or delete on verifications for each row"
        " execute function refuse_change()"
    )
    op.execute(
        "create trigger issue_tallies_stay before insert or update or delete on issue_tallies"
        " for each row execute function refuse_change_of_linked_run()"
    )
    for table in ("verifications", "tallies", "issue_tallies", "attempts", "outcome_batches"):
        _refuse_to_empty(table)
    _keep_partitions()


def downgrade() -> None:
    raise RuntimeError("the trail stays")


def _refuse_to_empty(table: str) -> None:
    op.execute(
        f"create trigger {table}_stay_all before truncate on {table} for each statement"
        " execute function refuse_change()"
    )


def _keep_partitions() -> None:
    """Guard each partition by itself: whoever empties one does not pass by the whole table."""
    _refuse_to_empty("outcomes")
    op.execute(
        """
        create function keep_partition(partition regclass) returns void language plpgsql as $$
        begin
            execute format(
                'create trigger outcomes_stay_all before truncate on %s for each statement'
                ' execute function refuse_change()', partition);
        end $$
        """
    )
    op.execute(
        "select keep_partition(inhrelid::regclass) from pg_inherits"
        " where inhparent = 'outcomes'::regclass"
    )
    op.execute(
        """
        create or replace function make_outcome_partitions(first date, months integer)
        returns void language plpgsql as $$
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
                    perform keep_partition(name::regclass);
                end if;
                month := month + interval '1 month';
            end loop;
        end $$
        """
    )
