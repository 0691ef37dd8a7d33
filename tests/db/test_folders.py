"""Folders of organizations: what was set before they had their own, and what is told of it."""

from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Connection

from sync_core import organizations
from sync_core.foundation import db, revisions, settings
from sync_core.foundation.embedded import Urls
from tests.support.desk import Desk
from tests.support.earlier_database import database_of
from tests.support.locations import HEADER, row
from tests.support.shell import ask

BEFORE, AFTER = "0027", "0028"


def locations(connection: Connection) -> dict[str, str]:
    query = "select resource, location from sources order by resource"
    return {row.resource: row.location for row in connection.execute(sa.text(query))}


def test_folders_that_are_in_the_organization_s_own_are_found_there(servers: Urls) -> None:
    folders, data = settings.current().folders, settings.current().data
    set_before = {
        "admins": f"{folders}/demo/../demo/admins",
        "locations": f"{folders}/demo",
        "packages": f"{data}/demo",
        "rooms": f"{folders}/demo-too/rooms",
        "services": f"{folders}/demo/../other",
        "therapists": "/srv/sheets",
    }
    expected = set_before | {"admins": "admins", "locations": ".", "packages": "made-up"}
    with database_of(BEFORE, servers) as connection:
        connection.execute(sa.text("insert into organizations (slug, name) values ('demo', 'D')"))
        for name, location in set_before.items():
            connection.execute(
                sa.text(
                    "insert into sources (organization_id, resource, entity, kind, location)"
                    " select id, :name, :name, 'folder', :location from organizations"
                ),
                {"name": name, "location": location},
            )
        command.upgrade(revisions.config(connection), AFTER)
        assert locations(connection) == expected


def test_each_organization_syncs_the_files_of_its_own_folder_by_the_same_words(
    desk: Desk,
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{desk.organization.slug[:30]}-b", "Harbor Clinics")
    there = Desk(other)
    first = desk.sync("locations", locations=[HEADER, row("L1")])
    second = there.sync("locations", locations=[HEADER, row("L2"), row("L3")])
    assert desk.counts(first, "locations") == {"read": 1, "created": 1}
    assert there.counts(second, "locations") == {"read": 2, "created": 2}


def test_a_folder_that_was_set_elsewhere_fails_its_run_with_a_sentence(
    desk: Desk, database: psycopg.Connection, tmp_path: Path
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    (desk.folder / "locations.csv").rename(tmp_path / "locations.csv")
    run = desk.start("locations")
    database.execute(
        "update sources set location = %s where organization_id = %s",
        [str(tmp_path), desk.organization.id],
    )
    run = desk.work(run)
    assert (run.status, run.error_code) == ("failed", "no_folder")
    end = tmp_path.name
    assert run.message == f"There is nothing to read at '…/{end}' in the organization's folder."
    assert str(tmp_path) not in repr(run)
    told = ask("source", "list", "--org", desk.organization.slug).stdout
    assert told == f"locations.locations: folder …/{end}\n"
