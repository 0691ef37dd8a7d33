"""What holds at every address of the API: problems, sizes, headers, how often."""

import re
import time
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import httpx2
import pytest

from sync_core.api import app as api
from sync_core.api import document, problems, rate
from sync_core.foundation import db, settings
from sync_core.foundation.errors import CATALOGUE
from sync_core.organizations import Organization
from tests.support import api_server, processes
from tests.support.api_server import ANA_S, VERA, Program, Server
from tests.support.exports import trail_of
from tests.support.waiting import eventually


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, object]:
    assert answer.headers["content-type"] == problems.MEDIA_TYPE
    told: dict[str, object] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert (told["type"], bool(told["detail"]), bool(told["advice"])) == ("about:blank", True, True)
    return told


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v2/runs", "/nothing", "/%00", "/a%0Ab"])
def test_what_is_not_there_is_told_as_a_problem(server: Server, path: str) -> None:
    answer = httpx2.get(f"{server.url}/api{path}")
    problem(answer, 404, "no_such_address")


def test_who_sits_at_a_browser_reads_a_sentence(server: Server, home: Organization) -> None:
    answer = server.get(trail_of(home), VERA, headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("As a viewer you may not export files. ")


def test_a_method_that_an_address_does_not_take_is_named(server: Server) -> None:
    answer = server.get("/audit.csv", method="PUT")
    assert answer.headers["allow"] == "GET"
    assert "PUT" in str(problem(answer, 405, "wrong_method")["detail"])
    assert server.get("/runs", method="DELETE").headers["allow"] == "GET, POST"


def test_without_a_sign_in_a_program_is_told_how_to_come_in(server: Server) -> None:
    answer = server.get("/audit.csv", None)
    problem(answer, 401, "not_signed_in")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_part_that_cannot_be_read_is_named(server: Server) -> None:
    told = problem(server.get("/runs/many/outcomes.csv"), 400, "bad_request")
    assert isinstance(told["mistakes"], list)
    assert told["mistakes"][0]["where"] == "path.run"
    for number in (2**63, 0, -1, "1_0", "+1", "1.0", "%D9%A7", "%C2%B2", "1%00"):
        problem(server.get(f"/runs/{number}/outcomes.csv"), 400, "bad_request")


NO_NUMBERS = (
    "1_0",
    " 10",
    "10 ",
    "+10",
    "10.0",
    "1e1",
    "0x0a",
    "010",
    "\uff11",
    "\u0661",
    "\xb2",
    "1\u200b",
)
NO_MOMENTS = (
    "1700000000",
    "1_0",
    "-1",
    "nan",
    "20261101T000000Z",
    "\u0662026-11-01T00:00:00Z",
    "now",
)
ODD = {"integer": NO_NUMBERS, "date-time": NO_MOMENTS}


def numbers_and_moments() -> Iterator[tuple[str, str, str, str]]:
    """Find every number and moment that a request may name: method, path, parameter, kind."""
    for path, here in document.make(api.make())["paths"].items():
        for method in here.keys() - {"servers"}:
            for parameter in here[method].get("parameters", []):
                schema = parameter["schema"]
                for one in (schema, *schema.get("anyOf", [])):
                    if (kind := one.get("format", one.get("type"))) in ODD:
                        yield method, path, parameter["name"], kind


ASKED = [*numbers_and_moments()]


@pytest.mark.parametrize(("method", "path", "name", "kind"), ASKED)
def test_a_number_or_a_moment_is_taken_as_it_is_written_and_no_other_way(
    method: str, path: str, name: str, kind: str, server: Server, home: Organization
) -> None:
    """Python itself reads underscores, blanks and the digits of other scripts, too."""
    program = Program(server, home)
    mounted = program.root if path.startswith("/admin-portal") else f"{program.root}/api"
    for text in ODD[kind]:
        there = re.sub(r"\{\w+\}", "1", path.replace(f"{{{name}}}", quote(text)))
        address = f"{mounted}{there}?{urlencode({name: text})}"
        told = problem(program(method, address), 400, "bad_request")
        assert name in str(told["mistakes"]), text


def test_the_numbers_and_moments_of_requests_are_found() -> None:
    assert {"run", "limit", "offset", "cursor", "since", "at"} <= {name for _, _, name, _ in ASKED}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"search": "word " * 4000}, "search_refused"),
        ({"search": "a\x00"}, "bad_request"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "search_refused"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "search_refused"),
        ({"since": "yesterday"}, "search_refused"),
        ({"until": "1_0"}, "search_refused"),
        ({"person": ",".join(f"p{n}" for n in range(500))}, "search_refused"),
    ],
)
def test_what_nobody_looks_for_is_refused(
    asked: dict[str, str], code: str, server: Server, home: Organization
) -> None:
    problem(server.get(trail_of(home, **asked)), 400, code)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    answer = httpx2.put(f"{server.url}/api/v1/audit.csv", content=b"x" * (problems.MAX_BODY + 1))
    problem(answer, 413, "too_much_sent")


def test_every_answer_carries_the_headers_of_safety(server: Server, home: Organization) -> None:
    for answer in (
        server.get(trail_of(home)),
        server.get("/nothing"),
        server.get("/audit.csv", None),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.fixture
def ten_a_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_API_RATE", "10")
        _count_anew()
        yield
    _count_anew()


def _count_anew() -> None:
    settings.current.cache_clear()
    rate._counted.cache_clear()  # noqa: SLF001 - as a new process would


def test_who_asks_too_often_waits(server: Server, ten_a_minute: None) -> None:
    assert ten_a_minute is None
    answers = [server.get("/nothing") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [404] * 10 + [429] * 2
    told = problem(answers[-1], 429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert told["retry"] is True


PORTAL = "https://portal.example.org"


@pytest.fixture
def open_to_the_portal(servers: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    assert servers
    with monkeypatch.context() as environment:
        environment.setenv("SYNCDESK_API_ORIGINS", f"https://other.example.org {PORTAL}")
        settings.given.cache_clear()
        with api_server.running() as server:
            yield server
    settings.given.cache_clear()


def asks_first(server: Server, site: str) -> httpx2.Response:
    """Ask as a browser does before a page of another site may send a token."""
    return httpx2.options(
        f"{server.url}/api/v1/runs",
        headers={
            "origin": site,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,idempotency-key",
        },
    )


def test_pages_of_other_sites_read_answers_only_where_they_are_named(
    open_to_the_portal: Server, home: Organization
) -> None:
    server = open_to_the_portal
    assert asks_first(server, PORTAL).headers["access-control-allow-origin"] == PORTAL
    assert asks_first(server, "https://evil.example.org").status_code == 400
    token = Program(server, home).headers
    answer = httpx2.get(f"{server.url}/api/v1/runs", headers={**token, "origin": PORTAL})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, PORTAL)
    assert "access-control-allow-credentials" not in answer.headers
    refused = httpx2.get(f"{server.url}/api/v1/runs", headers={"origin": PORTAL})
    assert refused.headers["access-control-allow-origin"] == PORTAL
    problem(server.get("/runs", headers={"origin": PORTAL}), 403, "another_site")


def test_no_other_site_is_let_in_unless_it_is_set(server: Server, home: Organization) -> None:
    token = Program(server, home).headers
    answer = httpx2.get(f"{server.url}/api/v1/runs", headers={**token, "origin": PORTAL})
    assert "access-control-allow-origin" not in answer.headers
    problem(asks_first(server, PORTAL), 405, "wrong_method")


def test_without_postgres_a_problem_says_so(server: Server, home: Organization) -> None:
    address = trail_of(home)
    assert server.get(address).status_code == 200
    with processes.frozen(*processes.postgres()):
        start = time.monotonic()
        problem(server.get(address), 503, "database_down")
        assert time.monotonic() - start < 5
    assert eventually(db.answers)
    assert server.get(address).status_code == 200


def test_every_status_is_of_a_known_error() -> None:
    assert set(problems.STATUS) <= set(CATALOGUE)


def test_the_openapi_document_says_where_it_is_mounted(server: Server) -> None:
    told = httpx2.get(f"{server.url}/api/openapi.json").json()
    assert told["openapi"].startswith("3.1")
    assert told["servers"] == [{"url": "/api"}]
    assert "/v1/audit.csv" in told["paths"]


def test_it_can_stand_alone_where_no_cookie_counts(servers: object, home: Organization) -> None:
    assert servers
    with api_server.running(api.alone()) as server:
        problem(server.get("/nothing"), 404, "no_such_address")
        problem(httpx2.get(f"{server.url}/elsewhere"), 404, "no_such_address")
        problem(server.get(trail_of(home), ANA_S), 401, "not_signed_in")
