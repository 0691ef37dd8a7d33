"""What the pages are made of comes compressed, once it was compressed."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

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


def test_what_somebody_did_not_wait_for_is_whole_for_the_next_one() -> None:
    async def script(_: Request) -> Response:
        async def parts() -> AsyncIterator[str]:
            for part in (SCRIPT[:1000], SCRIPT[1000:]):
                await asyncio.sleep(0.05)
                yield part

        return StreamingResponse(parts(), headers=FOR_EVER)

    app = Compressed(Starlette(routes=[Route("/{rest:path}", script)]))
    headers = [(b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": "GET", "path": "/for-ever.js", "headers": headers}

    async def leave() -> Message:
        return {"type": "http.disconnect"}

    async def hear_nothing(_: Message) -> None:
        pass

    asyncio.run(app({**scope, "query_string": b""}, leave, hear_nothing))
    said = TestClient(app).get("/for-ever.js", headers={"accept-encoding": "gzip"})
    assert (said.text, said.headers["content-encoding"]) == (SCRIPT, "gzip")


def test_half_an_answer_is_not_kept(asked: list[str]) -> None:
    async def broken(scope: Scope, _: Receive, send: Send) -> None:
        asked.append(scope["path"])
        headers = [(b"cache-control", b"immutable"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    app = Compressed(broken)
    headers = [(b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": "GET", "path": "/a.js", "headers": headers}
    heard: list[Message] = []

    async def hear(message: Message) -> None:
        heard.append(message)

    async def wait() -> Message:
        return await asyncio.Future()

    for _ in range(2):
        asyncio.run(app(scope, wait, hear))
    assert asked == ["/a.js", "/a.js"]


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
