"""What the pages are made of comes compressed, once it was compressed."""

from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from sync_core.api.compressed import Compressed

SCRIPT = "export const clinic = 'Harbour';\n" * 1000
FOR_EVER = {"cache-control": "public, immutable, max-age=31536000", "etag": '"1"'}


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def client(asked: list[str]) -> Iterator[TestClient]:
    async def script(request: Request) -> Response:
        asked.append(request.url.path)
        if "gone" in request.url.path:
            return PlainTextResponse("not here", 404)
        headers = FOR_EVER if "for-ever" in request.url.path else {}
        return PlainTextResponse(SCRIPT, headers=headers)

    routes = [Route("/{rest:path}", script)]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(Compressed)])) as client:
        yield client


def test_what_never_changes_is_compressed_once(client: TestClient, asked: list[str]) -> None:
    for _ in range(3):
        said = client.get("/static/js/for-ever.js", headers={"accept-encoding": "gzip, br"})
        assert said.text == SCRIPT
        assert said.headers["content-encoding"] == "gzip"
        assert said.headers["vary"] == "Accept-Encoding"
        assert int(said.headers["content-length"]) < len(SCRIPT) / 20
        assert "etag" not in said.headers
    assert asked == ["/static/js/for-ever.js"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/static/js/for-ever.js", {"accept-encoding": "identity"}),
        ("/static/js/for-ever.js", {"accept-encoding": "gzip;q=0"}),
        ("/static/js/for-ever.js", {"accept-encoding": "GZIP ; Q=0.000, br"}),
        ("/static/js/for-ever.js", {"accept-encoding": "gzip;q=0, *"}),
        ("/static/js/for-ever.js", {"accept-encoding": "br, *;q=0"}),
        ("/static/js/for-ever.js", {"accept-encoding": "gzip;q=some"}),
        ("/static/js/for-ever.js", {"accept-encoding": "not-gzip"}),
        ("/static/js/for-ever.js", {"range": "bytes=0-9"}),
        ("/static/js/for-ever.js", {"if-none-match": '"1"'}),
        ("/app/static/own.js", {}),
        ("/static/media/for-ever.woff2", {}),
        ("/static/js/gone.js", {}),
    ],
)
def test_all_else_comes_as_it_is(
    client: TestClient, asked: list[str], path: str, headers: dict[str, str]
) -> None:
    for _ in range(2):
        said = client.get(path, headers=headers)
        assert "content-encoding" not in said.headers
        assert said.text in {SCRIPT, "not here"}
    assert asked == [path, path]


@pytest.mark.parametrize(
    "path",
    ["/static//js/for-ever.js", "/static/%2E/js/for-ever.js", "/static/js%2F%2Ffor-ever.js"],
)
def test_nobody_fills_the_memory_with_other_paths_of_a_file(
    client: TestClient, asked: list[str], path: str
) -> None:
    for _ in range(2):
        said = client.get(path, headers={"accept-encoding": "gzip"})
        assert said.text == SCRIPT
        assert "content-encoding" not in said.headers
    assert len(asked) == 2
