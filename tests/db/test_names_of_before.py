"""Names that were taken before names had limits: a migration leaves what people see of them."""

import sqlalchemy as sa
from alembic import command

from sync_core.foundation import names, revisions
from sync_core.foundation.embedded import Urls
from tests.support.earlier_database import database_of

BEFORE, AFTER = "0028", "0029"
TAKEN = {
    "Harbor Clinics": "Harbor Clinics",
    "Ana \u202egro.elpmaxe\u202c": "Ana gro.elpmaxe",
    "Two\nlines\u200b": "Two lines",
    "x" * 5_000: "x" * names.LONGEST,
    "\u3164\u200f": "Unnamed",
}


def test_names_that_would_pass_for_others_become_what_is_seen_of_them(servers: Urls) -> None:
    with database_of(BEFORE, servers) as connection:
        for number, name in enumerate(TAKEN):
            add = "insert into organizations (slug, name) values (:slug, :name) returning id"
            given = {"slug": f"o{number}", "name": name}
            organization = connection.execute(sa.text(add), given).scalar_one()
            connection.execute(
                sa.text(
                    "insert into people (organization_id, email, name, role, team)"
                    " values (:id, 'a@example.org', :name, 'admin', '')"
                ),
                {"id": organization, "name": name},
            )
        command.upgrade(revisions.config(connection), AFTER)
        for table in ("organizations", "people"):
            kept = connection.execute(sa.text(f"select name from {table} order by id")).scalars()
            assert list(kept) == list(TAKEN.values())
            assert [names.plain(name) for name in TAKEN.values()] == list(TAKEN.values())
        assert set(connection.execute(sa.text("select team from people")).scalars()) == {""}
