"""What stands before the pages: headers of safety, careful cookies, doors that are closed."""

import re
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg

from sync_core.api import app as api
from sync_core.api import page_gate
from sync_core.foundation import settings
from sync_core.organizations import Organization
from sync_core.ui.frame import browser_limits, cookie, early_scripts, missing_page

MONITOR = "a-token-of-a-monitor"


async def _page(_: Request) -> Response:
    page = Response("a page")
    page.set_cookie("_streamlit_user", "signed")
    page.raw_headers.append((b"set-cookie", b"_streamlit_xsrf=token; Path=/; SameSite=Lax"))
    return page


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    async for said in socket.iter_bytes():
        await socket.send_bytes(said)


def served(scheme: str = "http") -> TestClient:
    """Serve what stands for Streamlit's server, behind our gate."""
    policy = browser_limits.content_policy()
    pages = Starlette(
        routes=[
            *api.routes(cookie.claims),
            WebSocketRoute("/_stcore/stream", _echo),
            Mount("/", Route("/{rest:path}", _page, methods=["GET", "PUT", "POST"])),
        ],
        middleware=page_gate.around(
            cookie.claims,
            browser_limits.needs,
            policy,
            missing_page.elsewhere,
            early_scripts.links,
        ),
    )
    return TestClient(pages, base_url=f"{scheme}://testserver", follow_redirects=False)


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, servers: object) -> Iterator[None]:
    assert servers
    monkeypatch.setenv("SYNCDESK_MONITOR_TOKEN", MONITOR)
    settings.current.cache_clear()
    yield
    monkeypatch.undo()
    settings.current.cache_clear()


def test_each_answer_says_what_browsers_may_do_with_it() -> None:
    for path in ("/", "/locations", "/sign-in/demo", "/media/x.svg"):
        said = served().get(path).headers
        assert said["x-content-type-options"] == "nosniff"
        assert said["referrer-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in said["content-security-policy"]
        assert "script-src 'self'" in said["content-security-policy"]
        assert "unsafe-inline' " not in said["content-security-policy"].partition("style")[0]
    for path in ("/api/v1/runs", "/api/v1/audit.csv", "/healthz", "/metrics"):
        said = served().get(path).headers
        assert said["content-security-policy"].startswith("default-src 'none'")
        assert said["referrer-policy"] == "no-referrer"


def test_behind_tls_browsers_keep_to_it_and_cookies_stay_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "strict-transport-security" not in served().get("/").headers
    signed, xsrf = served().get("/").headers.get_list("set-cookie")
    assert signed == "_streamlit_user=signed; Path=/; SameSite=lax; HttpOnly"
    assert xsrf == "_streamlit_xsrf=token; Path=/; SameSite=Lax"
    for path in ("/", "/api/v1/runs", "/healthz"):
        said = served("https").get(path).headers["strict-transport-security"]
        assert said == "max-age=31536000"
    monkeypatch.setenv("SYNCDESK_ADDRESS", "https://sync.example.org")
    settings.current.cache_clear()
    behind_a_proxy = served().get("/").headers
    assert behind_a_proxy["strict-transport-security"] == "max-age=31536000"
    for set_cookie in behind_a_proxy.get_list("set-cookie"):
        assert set_cookie.endswith("; Secure")


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("/overview", "/"),
        ("/overview/?org=demo", "/?org=demo"),
        ("/foo/bar", "/page-not-found?address=%2Ffoo%2Fbar"),
        ("/foo/bar?x=1", "/page-not-found?address=%2Ffoo%2Fbar&x=1"),
        ("//evil.example/x", "/page-not-found?address=%2F%2Fevil.example%2Fx"),
    ],
)
def test_a_page_that_is_not_there_is_one_of_ours(asked: str, there: str) -> None:
    browser = {"accept": "text/html,application/xhtml+xml"}
    answer = served().get(f"http://testserver{asked}", headers=browser)
    assert (answer.status_code, answer.headers["location"]) == (302, there)


@pytest.mark.parametrize(
    "path", ["/locations", "/nowhere", "/api/v1/nothing", "/media/a.svg", "/component/a/b.js"]
)
def test_other_addresses_are_left_to_who_knows_them(path: str) -> None:
    assert served().get(path, headers={"accept": "text/html"}).status_code != 302
    assert served().get("/foo/bar").text == "a page"  # no page is asked for


@pytest.mark.parametrize(
    "path",
    ["/_stcore/metrics", "/ops/_stcore/metrics", "/_stcore/metrics?families=x"],
)
def test_the_figures_of_streamlit_s_server_are_a_monitor_s(path: str) -> None:
    stranger = served().get(path)
    assert (stranger.status_code, stranger.json()["code"]) == (404, "no_such_address")
    assert served().get(path, headers={"authorization": f"Bearer {MONITOR}"}).text == "a page"


@pytest.mark.parametrize(
    "path", ["/_stcore/agent/interact", "/_stcore/agent/mcp", "/_stcore/script-health-check"]
)
def test_no_page_is_run_by_another_way(path: str) -> None:
    assert served().post(path).status_code == 404


def test_files_are_taken_from_who_is_signed_in(organization: Organization) -> None:
    assert organization
    put = served().put("/_stcore/upload_file/session/file", content=b"x" * 1000)
    assert (put.status_code, put.json()["code"]) == (401, "not_signed_in")
    site = {"sec-fetch-site": "cross-site"}
    foreign = served().put("/_stcore/upload_file/session/file", headers=site)
    assert foreign.json()["code"] == "another_site"


def message(kind: str) -> bytes:
    made = BackMsg()
    getattr(made, kind).SetInParent() if kind == "rerun_script" else setattr(made, kind, True)
    return bytes(made.SerializeToString())


@pytest.mark.parametrize("origin", ["http://[", "https://[::1"])
def test_a_socket_of_what_is_no_site_is_closed(origin: str) -> None:
    client = served()
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_stcore/stream", headers={"origin": origin}),
    ):
        pass


@pytest.mark.parametrize(
    "kind",
    ["clear_cache", "load_git_info", "set_run_on_save", "debug_shutdown_runtime"],
)
def test_what_no_page_of_ours_sends_does_not_come_through(kind: str) -> None:
    wanted = message("rerun_script")
    with served().websocket_connect("/_stcore/stream") as socket:
        socket.send_bytes(message(kind))
        socket.send_bytes(wanted)
        assert socket.receive_bytes() == wanted


def test_the_page_of_charts_names_their_script_which_there_is_and_no_other_page_does() -> None:
    page = {"accept": "text/html"}
    with served() as pages:
        link = pages.get("/analytics", headers=page).headers["link"]
        assert re.fullmatch(r"<\./static/js/PlotlyChart\.[\w-]+\.js>; rel=modulepreload; .*", link)
        assert "link" not in pages.get("/analytics").headers
        assert "link" not in pages.get("/locations", headers=page).headers
