"""Files and streams for whoever may have them now, whatever they might when they asked."""

import json
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from sync_core.api import prepared
from sync_core.audit import exports
from sync_core.audit.exports import Export
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.operations import administration, syncs
from sync_core.organizations import Organization, people
from sync_core.organizations.people import Person
from sync_core.runs.filters import Filter
from tests.support import sign_ins
from tests.support.api_server import ANA_S, MICHAEL, VERA, Server
from tests.support.desk import ANA, Desk
from tests.support.exports import fill, manifests
from tests.support.locations import HEADER, row


def figures(home: Organization, person: Person) -> Export:
    wanted = Filter(organizations=(home.id,))
    return exports.figures([(home, person)], wanted, "By person", ["Name"], [["Ana"]])


def test_a_table_of_a_page_is_for_who_it_was_prepared_for(
    server: Server, home: Organization
) -> None:
    with db.everywhere() as connection:
        michael = people.find(connection, home.id, MICHAEL)
    assert michael
    address = prepared.keep(figures(home, michael), "a-panel").removeprefix("/api/v1")
    assert server.get(address, None).status_code == 401
    assert server.get(address, ANA_S).json()["code"] == "unknown_file"  # that is Michael's
    assert server.get(address, VERA).status_code == 403
    assert server.get(address, MICHAEL).content.decode("utf-8-sig") == "Name\r\nAna\r\n"
    administration.remove_person(home, ANA, MICHAEL)
    assert server.get(address, MICHAEL).status_code in {403, 404}
    assert len([told for told in manifests(home) if told["complete"]]) == 1


def test_a_file_breaks_off_once_its_reader_is_removed(
    home: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(home)
    michael = sign_ins.arrived(MICHAEL).taken[home.slug][1]
    asked = exports.trail([(home, michael)], Filter(organizations=(home.id,)))
    blocks = exports.write(asked)
    next(blocks)
    administration.remove_person(home, ANA, MICHAEL)
    monkeypatch.setattr(people, "FRESH_SECONDS", 0)
    with pytest.raises(SyncError) as ended:
        for _ in blocks:
            pass
    assert ended.value.code == "sign_in_ended"
    assert [told["complete"] for told in manifests(home)] == [False]


@pytest.fixture
def watched(desk: Desk) -> Iterator[int]:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    yield run.id
    syncs.cancel(desk.organization, run.id, ANA)


def test_a_stream_tells_nothing_more_to_whoever_is_removed(
    server: Server, home: Organization, watched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "FRESH_SECONDS", 0)
    cookies = "; ".join(f"{k}={v}" for k, v in server.cookie(VERA).items())
    headers = {"cookie": cookies, "origin": server.url}
    address = f"ws://{server.host}/api/v1/runs/{watched}/socket?organization={home.slug}"
    with connect(address, additional_headers=headers) as socket:
        assert json.loads(socket.recv(30))["event"] == "run"
        administration.remove_person(home, ANA, VERA)
        with db.everywhere() as connection:
            goes_on = "update runs set message = 'it goes on' where id = %s"
            connection.exec_driver_sql(goes_on, (watched,))
        told = json.loads(socket.recv(30))
    assert (told["event"], told["data"]["code"]) == ("problem", "sign_in_ended")
