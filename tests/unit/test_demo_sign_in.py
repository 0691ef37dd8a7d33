import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response
from streamlit.web.server.server_util import get_cookie_secret

from sync_core.ui.frame import demo_sign_in

TICKET = {"email": "ana.ruiz@example.org", "name": "Ana Ruiz", "path": "/locations"}


class EarlierSigner(TimestampSigner):
    """Signs as it would have done some seconds ago."""

    def get_timestamp(self) -> int:
        return int(time.time()) - demo_sign_in.TICKET_SECONDS - 2


def come_with(ticket: str, host: str = "localhost:8600") -> Response:
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": demo_sign_in.PATH,
        "query_string": urlencode({"ticket": ticket}).encode(),
        "headers": [(b"host", host.encode())],
        "server": ("localhost", 8600),
    }
    (route,) = demo_sign_in.ROUTES
    with ThreadPoolExecutor(1) as apart:  # a browser of other tests has a loop in this thread
        answer: Response = apart.submit(asyncio.run, route.endpoint(Request(scope))).result()
    return answer


def ticket_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["ticket"][0]


@pytest.mark.parametrize("host", ["localhost:8600", "127.0.0.1:8600", "[::1]:8600", "localhost"])
def test_the_demo_sign_in_is_open_at_the_machine_itself(host: str) -> None:
    assert demo_sign_in.is_open({"host": host})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "desk.example.org"},
        {"host": "localhost.example.org"},
        {"host": "127.0.0.1", "x-forwarded-for": "203.0.113.7"},
        {"Host": "localhost", "Forwarded": "for=203.0.113.7"},
        {"host": "localhost", "X-Forwarded-Host": "desk.example.org"},
    ],
)
def test_the_demo_sign_in_is_refused_for_whoever_comes_from_elsewhere(
    headers: dict[str, str],
) -> None:
    assert not demo_sign_in.is_open(headers)


def test_a_ticket_signs_in_and_leads_to_the_page_that_was_asked_for() -> None:
    answer = come_with(ticket_of(demo_sign_in.address(*TICKET.values())))
    assert answer.headers["location"] == "/locations"
    assert "HttpOnly" in answer.headers["set-cookie"]


@pytest.mark.parametrize("salt", [demo_sign_in.SALT, "another purpose"])
def test_a_ticket_that_is_old_or_not_ours_signs_nobody_in(salt: str) -> None:
    signer = EarlierSigner if salt == demo_sign_in.SALT else TimestampSigner
    made = URLSafeTimedSerializer(get_cookie_secret(), salt=salt, signer=signer).dumps(TICKET)
    for ticket in (str(made), f"{made}x", "", "nonsense"):
        answer = come_with(ticket)
        assert answer.headers["location"] == "/"
        assert "set-cookie" not in answer.headers


def test_a_ticket_is_worth_nothing_from_elsewhere() -> None:
    good = ticket_of(demo_sign_in.address(*TICKET.values()))
    assert "set-cookie" not in come_with(good, host="desk.example.org").headers
