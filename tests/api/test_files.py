import csv
import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from streamlit.web.server.server_util import AUTH_COOKIE_NAME

from sync_core import organizations
from sync_core.api import addresses, download
from sync_core.cli import proof_script
from sync_core.foundation import db, redis_clients, settings
from sync_core.operations import syncs
from sync_core.organizations import Organization, actions, people
from sync_core.organizations.actions import SignedIn
from sync_core.runs import Run
from sync_core.runs.progress import Reporter
from tests.support import processes
from tests.support.api_server import ANA_S, MICHAEL, SARAH, VERA, Server
from tests.support.desk import ANA, Desk
from tests.support.exports import ROWS, fill, manifests, trail_of
from tests.support.locations import HEADER, row
from tests.support.waiting import eventually


def test_a_manager_gets_the_trail_as_a_file(server: Server, home: Organization, run: Run) -> None:
    answer = server.get(trail_of(home, bom=1), MICHAEL)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [line["Id"] for line in found if line["Entry"] == "run"] == [str(run.id)]
    (told,) = manifests(home)
    assert (told["by"], told["rows"], told["complete"]) == (MICHAEL, len(found), True)


def test_the_proof_of_a_row_is_a_file_that_the_script_beside_it_checks(
    server: Server, home: Organization, run: Run, tmp_path: Path
) -> None:
    script, file = tmp_path / "verify_proof.py", tmp_path / "proof.json"
    for entity, number, key, told in (
        ("locations", 2, [], b'outcome: "created"'),
        ("locations", None, ["L1"], b'outcome: "created"'),
        ("locations", 3, ["L2"], b'outcome: "failed"'),
    ):
        address = addresses.of_proof(run.id, home.slug, entity, number, key)
        answer = server.get(address.removeprefix(addresses.PATH), ANA_S)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert f"run-{run.id}-proof.json" in answer.headers["content-disposition"]
        file.write_bytes(answer.content)
        script.write_bytes(server.get("/verify_proof.py", None).content)
        command = [sys.executable, "-I", "-S", str(script), str(file)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
        assert told in done.stdout
    assert [told["what"] for told in manifests(home)] == ["proof of a row"] * 3
    assert script.read_bytes() == proof_script.SCRIPT.read_bytes()


def test_the_records_that_a_plan_misses_are_a_file_while_it_waits(
    server: Server, home: Organization, desk: Desk
) -> None:
    rows = [row(f"L{n:02}", "a;=1+1") for n in range(40)]
    desk.sync("locations", locations=[HEADER, *rows])
    held = desk.sync("locations", locations=[HEADER, *rows[:2]])
    address = addresses.of_missing(held.id, home.slug, "locations").removeprefix(addresses.PATH)
    answer = server.get(address, MICHAEL)
    assert answer.content.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [line["Location code"] for line in found] == [f"L{n:02}" for n in range(2, 40)]
    assert {line["Name"] for line in found} == {"a;'=1+1"}
    (told,) = manifests(home)
    assert (told["what"], told["by"], told["rows"]) == ("missing locations", MICHAEL, 38)
    for email in (SARAH, VERA):
        assert server.get(address, email).json()["code"] == "no_permission"
    wrong = server.get(address.replace("missing=locations", "missing=wards"), MICHAEL)
    assert wrong.json()["code"] == "unknown_entity"
    syncs.decline(home, held.id, ANA)
    gone = server.get(address, MICHAEL)
    assert (gone.status_code, gone.json()["code"]) == (404, "unknown_file")
    assert len(manifests(home)) == 1


@pytest.mark.parametrize("email", [MICHAEL, SARAH, VERA])
def test_a_proof_holds_all_of_a_row_so_who_sees_some_masked_is_refused(
    server: Server, home: Organization, run: Run, email: str
) -> None:
    answer = server.get(f"/runs/{run.id}/proof.json?org={home.slug}&row=2", email)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_permission")
    assert manifests(home) == []


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("row=99", "nothing_to_prove"),
        ("key=L9", "nothing_to_prove"),
        ("key=L%00", "bad_request"),
        ("", "several_to_prove"),
        ("row=0", "bad_request"),
        ("row=99999999999", "bad_request"),
    ],
)
def test_a_row_that_cannot_be_proved_is_told(
    server: Server, home: Organization, run: Run, named: str, code: str
) -> None:
    answer = server.get(f"/runs/{run.id}/proof.json?org={home.slug}&{named}", ANA_S)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_the_file_holds_what_the_filters_of_the_address_find(
    server: Server, home: Organization, run: Run
) -> None:
    assert run
    found = server.get(trail_of(home, status="partial", search="locations")).text.splitlines()
    assert len(found) == 2
    assert len(server.get(trail_of(home, status="cancelled")).text.splitlines()) == 1


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("trail", {ANA_S, MICHAEL}),
        ("outcomes", {ANA_S, MICHAEL}),
        ("rejects", {ANA_S, MICHAEL, SARAH}),
    ],
)
def test_a_file_is_for_those_who_may_have_it(
    path: str, who: set[str], server: Server, home: Organization, run: Run
) -> None:
    address = f"/runs/{run.id}/{path}.csv?org={home.slug}"
    for email in (ANA_S, MICHAEL, SARAH, VERA):
        answer = server.get(trail_of(home) if path == "trail" else address, email)
        assert (email, answer.status_code) == (email, 200 if email in who else 403)
        if answer.status_code == 403:
            assert "you may not export files" in answer.text


@pytest.mark.parametrize(
    ("email", "claims"),
    [
        (None, {}),
        (ANA_S, {"is_logged_in": False}),
        (ANA_S, {"email_verified": False}),
        (ANA_S, {"iat": 1_000_000_000}),
        (ANA_S, {"auth_time": 1_000_000_000}),
        (ANA_S, {"origin": "https://desk.example.org"}),
        (ANA_S, {"origin": None}),
    ],
)
def test_nobody_gets_a_file_without_a_sign_in_that_counts(
    email: str | None, claims: dict[str, Any], server: Server, home: Organization
) -> None:
    answer = server.get(trail_of(home), email, **claims)
    assert answer.status_code == 401
    assert manifests(home) == []


def test_a_cookie_that_we_did_not_sign_is_nobody_s(server: Server, home: Organization) -> None:
    forged = server.cookie(ANA_S)[AUTH_COOKIE_NAME][:-2] + "xx"
    with httpx2.Client(base_url=server.url, cookies={AUTH_COOKIE_NAME: forged}) as client:
        assert client.get(f"/api/v1{trail_of(home)}").status_code == 401


@pytest.mark.usefixtures("the_demo")
def test_a_demo_sign_in_counts_at_the_machine_itself_and_while_there_is_a_demo(
    server: Server, home: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, elsewhere = trail_of(home), {"x-forwarded-for": "203.0.113.7"}
    assert server.get(path, iss="demo").status_code == 200
    assert server.get(path, headers=elsewhere, iss="demo").status_code == 401
    monkeypatch.delenv(settings.UP)
    assert server.get(path, iss="demo").status_code == 401


def test_somebody_who_is_known_nowhere_gets_no_file(server: Server, home: Organization) -> None:
    assert home
    answer = server.get("/audit.csv", "stranger@example.org")
    assert (answer.status_code, "is not known in any" in answer.text) == (403, True)


def test_another_organization_is_not_there(server: Server, home: Organization, run: Run) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-2", "Harbor Clinics")
        actions.record(connection, other.id, ANA, SignedIn())
    assert server.get(trail_of(other)).status_code == 404
    assert server.get(f"/audit.csv?organizations={home.slug},{other.slug}").status_code == 404
    assert server.get(f"/runs/{run.id}/outcomes.csv?org={other.slug}").status_code == 404
    assert server.get(f"/runs/{run.id}/outcomes.csv").json()["code"] == "name_the_organization"


def test_the_history_of_a_record_is_a_file_for_those_who_may_export(
    server: Server, home: Organization, run: Run
) -> None:
    assert run.finished_at
    asked = addresses.of_record("locations", ["L1"], home.slug).removeprefix(addresses.PATH)
    found = list(csv.DictReader(io.StringIO(server.get(asked).content.decode("utf-8-sig"))))
    assert {line["Event"] for line in found} == {"Created"}
    day = addresses.of_record("locations", ["L1"], home.slug, run.finished_at + timedelta(days=1))
    as_of = server.get(day.removeprefix(addresses.PATH)).content.decode("utf-8-sig")
    assert as_of.splitlines()[:2] == ["Field,Value", "Location code,L1"]
    assert server.get(asked, SARAH).status_code == 403
    for nowhere in ("locations", "wards"):
        gone = addresses.of_record(nowhere, ["L9"], home.slug).removeprefix(addresses.PATH)
        assert server.get(gone).status_code == 404


def test_a_run_of_another_organization_is_not_there(
    server: Server, home: Organization, run: Run
) -> None:
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-3", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    answer = server.get(f"/runs/{run.id}/outcomes.csv?org={other.slug}")
    assert (answer.status_code, "There is no run" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example.org"}, 403),
        ({"referer": "https://evil.example.org/page"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"referer": "http://[::1"}, 403),
        ({"origin": "http://somebody@testserver"}, 403),
    ],
)
def test_another_site_gets_nothing(
    headers: dict[str, str], status: int, server: Server, home: Organization
) -> None:
    assert server.get(trail_of(home), headers=headers).status_code == status


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
def test_a_file_can_only_be_read(method: str, server: Server, home: Organization) -> None:
    assert server.get(trail_of(home), method=method).status_code == 405
    assert manifests(home) == []


def test_a_download_that_its_reader_leaves_is_recorded_as_broken_off(
    server: Server, home: Organization
) -> None:
    fill(home)
    with suppress(httpx2.StreamClosed), _reading(server, home) as chunks:
        next(chunks)
    eventually(lambda: len(manifests(home)) == 1)
    (told,) = manifests(home)
    assert told["complete"] is False
    assert told["rows"] < ROWS


def test_a_reader_that_takes_nothing_holds_up_nobody(server: Server, home: Organization) -> None:
    fill(home)
    with _reading(server, home):
        started = time.monotonic()
        assert server.get(trail_of(home, search="no such word")).status_code == 200
        assert time.monotonic() - started < 20
    eventually(lambda: len(manifests(home)) == 2)


def test_a_reader_below_the_least_rate_is_let_go_and_sees_it(
    server: Server, home: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(download, "LEAST_RATE", 10**9)
    fill(home)
    with _reading(server, home) as chunks:
        next(chunks)
        eventually(lambda: len(manifests(home)) == 1)
        assert not _to_the_end(chunks)
    assert manifests(home)[0]["complete"] is False


def test_a_reader_that_rests_within_the_least_rate_gets_all(
    server: Server, home: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(download, "LEAST_RATE", 1_000)
    fill(home)
    with _reading(server, home) as chunks:
        next(chunks)
        time.sleep(1)  # for longer than is waited before the rate counts
        assert _to_the_end(chunks)
    eventually(lambda: len(manifests(home)) == 1)
    assert manifests(home)[0]["complete"] is True


def test_a_file_that_breaks_off_in_its_middle_is_seen_as_broken_and_recorded(
    server: Server, home: Organization, database: psycopg.Connection
) -> None:
    fill(home)
    with _reading(server, home) as chunks:
        next(chunks)
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%%'"
        ours = "and backend_type = 'client backend' and application_name = %s and state <> 'idle'"
        assert database.execute(f"{ended} {ours}", [db.name()]).fetchall() == [(True,)]
        assert not _to_the_end(chunks)
    eventually(lambda: len(manifests(home)) == 1)
    (told,) = manifests(home)
    assert told["complete"] is False
    assert told["rows"] < ROWS


def _to_the_end(chunks: Iterator[bytes]) -> bool:
    """Read on; returns whether the end came, as the protocol marks it."""
    try:
        for _ in chunks:
            pass
    except httpx2.RemoteProtocolError:
        return False
    return True


def test_nobody_takes_all_places_of_who_reads_files(server: Server, home: Organization) -> None:
    fill(home)
    with _reading(server, home) as one, _reading(server, home) as another:
        assert next(one)
        assert next(another)
        refused = server.get(trail_of(home))
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_files")
        assert server.get(trail_of(home, search="no such word"), MICHAEL).status_code == 200
    eventually(lambda: len(manifests(home)) == 3)
    assert server.get(trail_of(home, search="no such word")).status_code == 200


def test_too_many_streams_are_refused(
    server: Server, home: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_STREAMS", 1)
    fill(home)
    with _reading(server, home) as stream:
        assert next(stream)
        assert server.get(trail_of(home), MICHAEL).status_code == 503
    eventually(lambda: len(manifests(home)) == 1)


class _reading:  # noqa: N801 - read as a function
    """Begin to read a file, and take no more than is asked for."""

    def __init__(self, server: Server, organization: Organization) -> None:
        self.client = httpx2.Client(base_url=server.url, cookies=server.cookie(ANA_S), timeout=30)
        self.stream = self.client.stream("GET", f"/api/v1{trail_of(organization)}")

    def __enter__(self) -> Iterator[bytes]:
        answer = self.stream.__enter__()
        assert answer.status_code == 200
        return answer.iter_raw()

    def __exit__(self, *error: object) -> None:
        self.stream.__exit__(None, None, None)
        self.client.close()


def test_the_log_of_a_run_is_for_everybody_who_sees_it(
    server: Server, home: Organization, run: Run
) -> None:
    answer = server.get(f"/runs/{run.id}/log.txt?org={home.slug}", VERA)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert f'filename="locations-run-{run.id}.log"' in answer.headers["content-disposition"]
    (manifest,) = manifests(home)
    assert (manifest["by"], manifest["what"], manifest["run"]) == (VERA, "log", run.id)
    lines = answer.text.splitlines()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d [\d:]{8} \+0000  Locations: opening .*", lines[0])
    assert len(lines) > 2
    with db.everywhere() as connection:
        other = organizations.add(connection, f"{home.slug}-4", "Harbor Clinics")
        people.add(connection, other.id, ANA)
    assert server.get(f"/runs/{run.id}/log.txt?org={other.slug}").status_code == 404
    assert server.get(f"/runs/{run.id}/log.txt?org={home.slug}", None).status_code == 401


def test_the_log_of_a_run_on_its_way_is_what_redis_has_of_it(
    server: Server, home: Organization, desk: Desk
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    address = f"/runs/{run.id}/log.txt?org={home.slug}"
    assert server.get(address).text.strip() == ""
    Reporter(redis_clients.client(), run.id, 1).log("Half of it\nis there", "warning")
    assert server.get(address).text.endswith("WARNING  Half of it is there\n")


def test_without_redis_there_is_a_sentence_instead_of_a_log(
    server: Server, home: Organization, desk: Desk
) -> None:
    desk.write("locations", [HEADER, row("L1")])
    run = desk.start("locations")
    with processes.frozen(processes.valkey()):
        answer = server.get(f"/runs/{run.id}/log.txt?org={home.slug}")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_live_progress")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("GET", {"range": "bytes=0-10"}),
        ("GET", {"if-none-match": "*"}),
        ("GET", {"x-http-method-override": "HEAD"}),
        ("GET", {"accept-encoding": "gzip, br"}),
    ],
)
def test_no_way_to_ask_for_a_file_leaves_it_out_of_the_trail(
    method: str, headers: dict[str, str], server: Server, home: Organization
) -> None:
    answer = server.get(trail_of(home), headers=headers, method=method)
    assert (answer.status_code, len(manifests(home))) in ((405, 0), (200, 1))
