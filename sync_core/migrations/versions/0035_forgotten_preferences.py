"""Forget how somebody wants the pages with their last place, in whatever way that goes."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

AS_OWNER = "security definer set search_path = public, pg_temp"  # it looks at all organizations
BELONGS_NOWHERE = "not exists (select from people where people.email = preferences.email)"


def upgrade() -> None:
    op.execute(
        f"""
        create function forget_preferences() returns trigger language plpgsql {AS_OWNER} as $$
        begin
            perform pg_advisory_xact_lock(hashtextextended('place ' || old.email, 0));
            delete from preferences where email = old.email and {BELONGS_NOWHERE};
            return null;
        end $$
        """  # noqa: S608 - a constant
    )
    op.execute("revoke execute on function forget_preferences() from public")
    op.execute(
        "create trigger forget_preferences after delete on people"
        " for each row execute function forget_preferences()"
    )
    op.execute(f"delete from preferences where {BELONGS_NOWHERE}")  # noqa: S608 - a constant


def downgrade() -> None:
    op.execute("drop trigger forget_preferences on people")
    op.execute("drop function forget_preferences()")
