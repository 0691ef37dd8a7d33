import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response
from streamlit import config
from streamlit.web.server.server_util import get_cookie_secret

from sync_core.foundation import settings
from sync_core.ui.frame import demo_sign_in, sign_in

TICKET = {
    "email": "ana.ruiz@example.org",
    "name": "Ana Ruiz",
    "path": "/locations",
    "jti": "made-up",
}


class EarlierSigner(TimestampSigner):
    """Signs as it would have done some seconds ago."""

    def get_timestamp(self) -> int:
        return int(time.time()) - demo_sign_in.TICKET_SECONDS - 2


def come_with(
    ticket: str, host: str = "localhost:8600", site: str | None = "same-origin"
) -> Response:
    from_where = [(b"sec-fetch-site", site.encode())] if site else []
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": demo_sign_in.PATH,
        "query_string": urlencode({"ticket": ticket}).encode(),
        "headers": [(b"host", host.encode()), *from_where],
        "server": ("localhost", 8600),
    }
    (route,) = demo_sign_in.ROUTES
    with ThreadPoolExecutor(1) as apart:  # a browser of other tests has a loop in this thread
        answer: Response = apart.submit(asyncio.run, route.endpoint(Request(scope))).result()
    return answer


def new_address() -> str:
    return demo_sign_in.address("ana.ruiz@example.org", "Ana Ruiz", "/locations")


def ticket_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["ticket"][0]


pytestmark = pytest.mark.usefixtures("servers", "the_demo")


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
    answer = come_with(ticket_of(new_address()))
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


def test_a_ticket_works_once() -> None:
    ticket = ticket_of(new_address())
    assert "set-cookie" in come_with(ticket).headers
    for _ in range(2):
        assert "set-cookie" not in come_with(ticket).headers
    assert "set-cookie" in come_with(ticket_of(new_address())).headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", None])
def test_a_ticket_works_from_a_page_of_ours_alone(site: str | None) -> None:
    ticket = ticket_of(new_address())
    assert "set-cookie" not in come_with(ticket, site=site).headers
    assert "set-cookie" in come_with(ticket).headers  # it is not used up by that


def test_a_ticket_is_worth_nothing_from_elsewhere() -> None:
    good = ticket_of(new_address())
    assert "set-cookie" not in come_with(good, host="desk.example.org").headers


def test_there_is_a_demo_where_up_has_started_the_pages_on_loopback() -> None:
    sign_in.refuse_unsafe_start()


def refused_to_start() -> str:
    settings.current.cache_clear()
    assert not demo_sign_in.is_open({"host": "localhost"})
    with pytest.raises(SystemExit) as refused:
        sign_in.refuse_unsafe_start()
    assert "[auth]" in str(refused.value)
    return str(refused.value)


def test_a_database_of_somebody_s_own_is_not_opened_by_the_demo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as outside:
        outside.setenv("DATABASE_URL", "postgresql://desk@db.example.org/desk")
        outside.setenv("REDIS_URL", "rediss://:a-password@redis.example.org")
        assert "for DATABASE_URL names a database of your own." in refused_to_start()
    settings.current.cache_clear()


@pytest.mark.parametrize("started_by", ["", str(os.getppid() + 1), str(os.getpid())])
def test_pages_that_up_has_not_started_are_no_demo(
    monkeypatch: pytest.MonkeyPatch, started_by: str
) -> None:
    monkeypatch.setenv(settings.UP, started_by)
    assert "is started by syncdesk up alone." in refused_to_start()


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.7", None])  # noqa: S104 - refused
def test_pages_that_others_can_reach_are_no_demo(address: str | None) -> None:
    config.set_option("server.address", address)
    assert f"they are served at {address or 'every address'}." in refused_to_start()
