"""Resources, sources and records over HTTP, and the documents that describe them."""

import logging
import re
from contextlib import suppress
from typing import Any

import httpx2
import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from sync_core.catalogue import resources
from sync_core.demo import files as demo_files
from sync_core.foundation.vocabulary import APPLIED, Role
from sync_core.operations import syncs
from sync_core.operations.administration import set_source
from sync_core.organizations import Organization
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from tests.support.api_server import Program, Server
from tests.support.desk import ANA, Desk
from tests.support.fakes import google as fake
from tests.support.fakes.google import Google
from tests.support.locations import HEADER, row


def test_resources_tell_their_tables_and_how_fresh_they_are(
    server: Server, home: Organization, run: Run
) -> None:
    found = {r["name"]: r for r in Program(server, home).get("/resources")["resources"]}
    assert set(found) == set(resources.CATALOGUE)
    there = found["locations"]
    assert (there["latest"]["id"], bool(there["fresh_at"])) == (run.id, True)
    assert (there["promised_hours"], there["overdue"]) == (24, False)
    assert there["entities"][0]["fields"][0]["label"] == "Location code"
    assert [step["title"] for step in there["steps"]] == ["Downloading", "Processing", "Saving"]
    assert [there["steps"][0]["start"], there["steps"][-1]["end"]] == [0, 100]
    assert found["admins"]["latest"] is None


def test_sources_are_told_and_tested(server: Server, home: Organization, run: Run) -> None:
    assert run
    program = Program(server, home)
    (source,) = program.get("/sources")["sources"]
    assert (source["resource"], source["kind"]) == ("locations", "folder")
    tried = program("POST", "/resources/locations/source-test").json()
    assert (tried["ok"], tried["entities"]["locations"]["read"]) == (False, 2)
    unset = program("POST", "/resources/admins/source-test")
    assert (unset.status_code, unset.json()["code"]) == (409, "no_source")


def test_a_secret_address_is_told_to_those_who_may_set_it(
    server: Server, home: Organization
) -> None:
    address = "https://files.example.org/export/TOKEN-7/clinics.csv?key=TOKEN-8"
    set_source(home, ANA, resources.by_name("locations"), address)
    told = {
        role: Program(server, home, role).get("/sources")["sources"][0]["location"] for role in Role
    }
    assert told == dict.fromkeys(Role, "files.example.org") | {Role.ADMIN: address}


def test_a_secret_address_stands_nowhere_else_whatever_its_server_answers(
    server: Server, home: Organization, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in what runs say of it, in the trail or in logs, however much they log."""
    caplog.set_level(logging.DEBUG)
    with Google() as google:
        for answer in (
            fake.html(404),
            fake.html(200),
            fake.redirect(f"{google.url}/TOKEN-9?key=TOKEN-9"),
            fake.redirect("https://10.0.0.1/TOKEN-9"),
            fake.redirect("ftp://somebody:TOKEN-9@files.example.org/TOKEN-9"),
            fake.body("Location code,Name\nL1,"),
        ):
            google.fault("/TOKEN-7", answer)
            address = f"{google.url}/TOKEN-7?key=TOKEN-8"
            set_source(home, ANA, resources.by_name("locations"), address)
            desk.work(syncs.start(home, "locations", ANA, "test"))
    program, manager = Program(server, home), Program(server, home, Role.MANAGER)
    found = program.get("/runs")["runs"]
    told = [program("GET", f"/runs/{one['id']}/log.txt?org={home.slug}").text for one in found]
    for path in ("/runs", "/resources", f"/audit.csv?organizations={home.slug}"):
        told += [program("GET", path).text, manager("GET", path).text]
    assert len(found) == len([one for one in found if one["status"] == "failed"]) == 6
    assert "TOKEN" not in "".join(told)
    assert "TOKEN" not in caplog.text


def test_records_are_read_a_page_at_a_time_with_their_history(
    server: Server, home: Organization, desk: Desk
) -> None:
    program = Program(server, home)
    desk.sync("locations", locations=[HEADER, row("L1"), row("L2")])
    desk.sync("locations", locations=[HEADER, row("L1", Name="Harbor"), row("L2")])
    page = program.get("/records/locations", limit=1, offset=1)
    assert ([one["location_code"] for one in page["rows"]], page["total"]) == (["L2"], 2)
    assert program.get("/records/locations", search="harbor")["total"] == 1
    told = program.get("/records/locations/history", key="L1")
    assert [entry["what"] for entry in told["entries"]] == ["updated", "created"]
    assert told["entries"][0]["cells"][0]["after"] == "Harbor"
    before = told["entries"][1]["at"]
    was = program.get("/records/locations/snapshot", key="L1", at=before)
    assert was["values"]["Name"] != "Harbor"
    assert program("GET", "/records/wards").json()["code"] == "unknown_table"


def test_personal_cells_are_masked_by_the_one_table(
    server: Server, home: Organization, desk: Desk
) -> None:
    entity = resources.ENTITIES["therapists"]
    hidden = {field.column for field in entity.fields if field.sensitive}
    assert hidden
    demo_files.write(desk.folder)
    assert {desk.sync(name).status for name in ("locations", "therapists")} <= set(APPLIED)
    shown = {role: _cells(server, home, role, hidden) for role in Role}
    assert shown[Role.VIEWER] == shown[Role.MANAGER] == {MASK}
    assert MASK not in shown[Role.ANALYST] | shown[Role.ADMIN]


def _cells(server: Server, home: Organization, role: Role, columns: set[str]) -> set[Any]:
    rows = Program(server, home, role).get("/records/therapists")["rows"]
    return {one[column] for one in rows for column in columns if one[column] is not None}


def test_the_document_says_what_every_part_of_every_shape_means(server: Server) -> None:
    told = httpx2.get(f"{server.url}/api/openapi.json").json()
    bare = [
        f"{name}.{part}"
        for name, shape in told["components"]["schemas"].items()
        for part, schema in shape.get("properties", {}).items()
        if not schema.keys() & {"description", "examples"}
    ]
    assert bare == []
    silent = [n for n, shape in told["components"]["schemas"].items() if "description" not in shape]
    assert silent == []


def test_the_page_of_the_document_loads_nothing_from_elsewhere(server: Server) -> None:
    answer = httpx2.get(f"{server.url}/api/reference")
    assert answer.headers["content-type"].startswith("text/html")
    assert "POST /api/v1/runs" in answer.text
    assert not re.search(r"(src|href)=\"?(https?:)?//", answer.text)
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/runs?search=%00",
        "/runs?person=a%00b",
        "/runs?error=%00",
        "/records/locations?search=%00",
        "/records/locations/history?key=%00",
        "/records/%00/history?key=L1",
        "/runs/1/outcomes?search=%00",
        "/resources?organization=%00",
        "/audit.csv?search=%00",
        "/runs?since=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-14:00&search=x",
        "/records/locations?search=%ff%fe&offset=10000000",
        "/records/locations/snapshot?key=L1&at=0001-01-01T00:00:00%2B14:00",
        "/records/locations/snapshot?key=L1&at=9999-12-31T23:59:59-14:00",
        "/records/schedules/history?key=L1",
        "/runs/9223372036854775807",
    ],
)
def test_whatever_is_asked_for_is_answered_without_a_failure(
    server: Server, home: Organization, run: Run, path: str
) -> None:
    assert run
    assert Program(server, home)("GET", path).status_code < 500


def test_the_log_of_the_server_does_not_tell_what_people_look_for(
    server: Server, home: Organization, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    program = Program(server, home)
    caplog.set_level(logging.INFO, "uvicorn")
    for name in ("uvicorn.access", "uvicorn.error"):
        caplog.set_level(logging.INFO, name)
        logging.getLogger(name).addHandler(caplog.handler)
    try:
        program.get("/records/patients", search="Okonkwo")
        program("GET", "/records/patients/rows.csv?only=last_name%3DOkonkwo")
        address = f"{program.url}/runs/{run.id}/socket?after=Okonkwo".replace("http", "ws", 1)
        with suppress(WebSocketException), connect(address, additional_headers=program.headers):
            pass
    finally:
        for name in ("uvicorn.access", "uvicorn.error"):
            logging.getLogger(name).removeHandler(caplog.handler)
    for told in ("/records/patients ", "/records/patients/rows.csv ", f"/runs/{run.id}/socket"):
        assert told in caplog.text
    assert "Okonkwo" not in caplog.text
