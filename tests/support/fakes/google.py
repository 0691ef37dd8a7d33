"""A server on loopback that speaks Google's sign-in, Sheets v4, Drive v3 and CSV export.

What it answers follows what Google was recorded to answer. By hand,
`python -m tests.support.fakes.google --rows 10000` prints the settings that lead to it.
"""

import argparse
import gzip
import json
import re
import socket
import struct
import tempfile
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.support.fakes.spreadsheets import (
    Lazy,
    Options,
    Spreadsheet,
    Tab,
    as_csv,
    location,
    metadata,
    values,
)

AUDIENCE = "https://oauth2.googleapis.com/token"
READER = "sync@demo-clinics.iam.gserviceaccount.com"
DEMO = "1Demo_Spreadsheet-0123456789abcdefghijklmnop"

# --- what the server answers, and how it goes wrong ---------------------------------------------

Delivery = Literal["whole", "cut", "reset", "drip", "crawl", "hang"]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; `delivery` is how much of it arrives, and how."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = "whole"


Json = dict[str, Any]
Fault = Callable[[Answer], Answer]
T = TypeVar("T")


def status(body: Json, **headers: str) -> Fault:
    """Answer with an error; `Retry_After="3"` becomes a header."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _: Answer(body["error"]["code"], pretty(body), headers=named)


def html(code: int = 200, text: str = "<!DOCTYPE html><html><body>Sorry</body></html>") -> Fault:
    """Answer with a web page."""
    return lambda _: Answer(code, text.encode(), "text/html; charset=utf-8")


def body(content: str | bytes, content_type: str = "application/json") -> Fault:
    """Answer 200 with this body."""
    data = content.encode() if isinstance(content, str) else content
    return lambda _: Answer(200, data, content_type)


def redirect(location: str) -> Fault:
    """Send the client somewhere else."""
    return lambda _: Answer(307, b"", headers=(("Location", location),))


def changed(change: Callable[[Json], object]) -> Fault:
    """Answer with JSON that lacks or contradicts something: `change` alters it in place."""

    def fault(answer: Answer) -> Answer:
        content = json.loads(answer.body)
        change(content)
        return replace(answer, body=pretty(content))

    return fault


def broken_json(answer: Answer) -> Answer:
    """Stop in the middle of the JSON, as if that were all."""
    return replace(answer, body=answer.body[: len(answer.body) // 2])


def not_gzip(answer: Answer) -> Answer:
    """Name an encoding that the body does not have."""
    return replace(answer, body=b"not gzip", headers=(("Content-Encoding", "gzip"),))


def cut(answer: Answer) -> Answer:
    """Close the connection in the middle of the body."""
    return replace(answer, delivery="cut")


def reset(answer: Answer) -> Answer:
    """Reset the connection instead of answering."""
    return replace(answer, delivery="reset")


def drip(answer: Answer) -> Answer:
    """Send a byte now and then."""
    return replace(answer, delivery="drip")


def crawl(answer: Answer) -> Answer:
    """Send slowly, but steadily."""
    return replace(answer, delivery="crawl")


def hang(answer: Answer) -> Answer:
    """Send nothing."""
    return replace(answer, delivery="hang")


def error(code: int, message: str, word: str, details: Sequence[Json] = ()) -> Json:
    """Make the JSON of an error as Sheets sends it."""
    body: Json = {"code": code, "message": message, "status": word}
    return {"error": {**body, "details": list(details)} if details else body}


def drive_error(code: int, message: str, reason: str, domain: str) -> Json:
    """Make the JSON of an error as Drive sends it."""
    cause = {"message": message, "domain": domain, "reason": reason}
    return {"error": {"code": code, "message": message, "errors": [cause]}}


def _cause(reason: str, **metadata: str) -> Json:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}


NOT_FOUND = error(404, "Requested entity was not found.", "NOT_FOUND")
NOT_SHARED = error(403, "The caller does not have permission", "PERMISSION_DENIED")
NOT_SIGNED_IN = error(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
SCOPES_MISSING = error(
    403,
    "Request had insufficient authentication scopes.",
    "PERMISSION_DENIED",
    [_cause("ACCESS_TOKEN_SCOPE_INSUFFICIENT", service="sheets.googleapis.com")],
)
NOT_A_SHEET = error(400, "This operation is not supported for this document", "FAILED_PRECONDITION")
TOO_MANY = error(
    429,
    "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'"
    " of service 'sheets.googleapis.com' for consumer 'project_number:1'.",
    "RESOURCE_EXHAUSTED",
    [_cause("RATE_LIMIT_EXCEEDED", quota_limit="ReadRequestsPerMinutePerUser")],
)
API_DISABLED = error(
    403,
    "Google Sheets API has not been used in project 1 before or it is disabled.",
    "PERMISSION_DENIED",
    [_cause("SERVICE_DISABLED", service="sheets.googleapis.com")],
)
UNAVAILABLE = error(503, "The service is currently unavailable.", "UNAVAILABLE")
DRIVE_DISABLED = drive_error(
    403, "Google Drive API is disabled.", "accessNotConfigured", "usageLimits"
)
DRIVE_TOO_MANY = drive_error(
    403, "User Rate Limit Exceeded", "userRateLimitExceeded", "usageLimits"
)
SIGN_IN_PAGE = "<!DOCTYPE html><html><head><title>Google Sheets: Sign-in</title></head></html>"


def pretty(value: Json) -> bytes:
    """Print JSON as Google does."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


# --- the server ---------------------------------------------------------------------------------


class Request(NamedTuple):
    """One request that the server has seen."""

    method: str
    path: str  # decoded
    query: dict[str, list[str]]


@dataclass
class Google:
    """The server; use it as a context manager."""

    spreadsheets: dict[str, Spreadsheet] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    pace: float = 0.05  # seconds between the bytes of a drip
    token_life: int = 3599  # seconds
    project: str = field(default_factory=lambda: f"demo-{uuid4().hex}")  # each has a quota

    def __post_init__(self) -> None:
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._edits: defaultdict[str, deque[Callable[[], object]]] = defaultdict(deque)
        self._tokens: set[str] = set()
        self._cache: dict[tuple[str, ...], bytes] = {}
        self._closing = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The address at which it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, *tabs: Tab, sheet: str = DEMO) -> Spreadsheet:
        """Add a spreadsheet with these tabs."""
        self._cache.clear()
        self.spreadsheets[sheet] = Spreadsheet(sheet, list(tabs))
        return self.spreadsheets[sheet]

    def fault(self, path: str, *faults: Fault, times: int = 1) -> None:
        """Let the next requests whose path holds `path` go wrong, one fault each."""
        self._faults[path].extend(faults * times)

    def edit(self, path: str, *edits: Callable[[], object]) -> None:
        """Let somebody edit before the next requests are answered whose path holds `path`."""
        self._edits[path].extend(edits)

    def heal(self) -> None:
        """Forget the faults and edits that no request has met."""
        for faults in list(self._faults.values()):
            faults.clear()
        for edits in list(self._edits.values()):
            edits.clear()

    def service_account(self) -> dict[str, str]:
        """Make the key of the service account, as Google hands it out."""
        return {
            "type": "service_account",
            "project_id": self.project,
            "private_key_id": "1",
            "private_key": _key().private,
            "client_email": READER,
            "client_id": "1",
            "token_uri": f"{self.url}/token",
        }

    def asked(self, path: str) -> int:
        """Count the requests whose path held `path`."""
        return sum(path in request.path for request in self.requests)

    def export_url(self, sheet: str = DEMO, gid: int = 0) -> str:
        """Return the address at which a spreadsheet's tab is exported as CSV."""
        return f"{self.url}/spreadsheets/d/{sheet}/export?format=csv&gid={gid}"

    # what the handler calls

    def answer(self, request: Request, sent: bytes, token: str) -> Answer:
        """Answer a request, or let it go wrong."""
        self.requests.append(request)
        for path, edits in list(self._edits.items()):
            if path in request.path and (edit := _next(edits)):
                edit()
                self._cache.clear()
        answer = self._route(request, sent, token)
        for path, faults in list(self._faults.items()):
            if path in request.path and (fault := _next(faults)):
                return fault(answer)
        return answer

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        self._closing.wait(seconds)

    def _route(self, request: Request, sent: bytes, token: str) -> Answer:
        if request.path == "/token" and request.method == "POST":
            return self._sign_in(parse_qs(sent.decode()))
        if found := re.fullmatch(r"/spreadsheets/d/([\w-]+)/export", request.path):
            return self._export(found[1], request)
        if found := re.fullmatch(r"/exported/([\w-]+)", request.path):
            return self._exported(found[1], request)
        if token.removeprefix("Bearer ") not in self._tokens:
            return Answer(401, pretty(NOT_SIGNED_IN))
        if found := re.fullmatch(r"/drive/v3/files/([^/]+)", request.path):
            return self._drive(found[1], request)
        if found := re.fullmatch(r"/v4/spreadsheets/([^/]+?)(/values.*)?", request.path):
            return self._sheets(found[1], found[2], request)
        return Answer(404, pretty(NOT_FOUND))

    def _sign_in(self, form: dict[str, list[str]]) -> Answer:
        try:
            _check_claims(form)
        except (ValueError, KeyError):
            refusal = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return Answer(400, pretty(refusal))
        token = f"ya29.demo-{len(self._tokens)}"
        self._tokens.add(token)
        answer = {"access_token": token, "expires_in": self.token_life, "token_type": "Bearer"}
        return Answer(200, pretty(answer))

    def _drive(self, sheet: str, request: Request) -> Answer:
        spreadsheet = self.spreadsheets.get(sheet)
        if spreadsheet is None or not spreadsheet.shared:
            body = drive_error(404, f"File not found: {sheet}.", "notFound", "global")
            return Answer(404, pretty(body))
        facts = {
            "id": sheet,
            "name": spreadsheet.title,
            "mimeType": spreadsheet.kind,
            "modifiedTime": spreadsheet.modified,
        }
        asked = request.query.get("fields", ["id,name"])[0].split(",")
        return Answer(200, pretty({name: facts[name] for name in asked if name in facts}))

    def _sheets(self, sheet: str, asked: str | None, request: Request) -> Answer:
        spreadsheet = self.spreadsheets.get(sheet)
        if spreadsheet is None:
            return Answer(404, pretty(NOT_FOUND))
        if not spreadsheet.shared:
            return Answer(403, pretty(NOT_SHARED))
        try:
            if asked is None:
                fields, ranges = request.query["fields"][0], request.query.get("ranges", [])
                return Answer(200, pretty(metadata(spreadsheet, fields, ranges)))
            return Answer(200, self._printed(spreadsheet, asked, request.query))
        except ValueError as problem:
            return Answer(400, pretty(error(400, str(problem), "INVALID_ARGUMENT")))

    def _printed(self, spreadsheet: Spreadsheet, asked: str, query: dict[str, list[str]]) -> bytes:
        options = Options(
            render=query.get("valueRenderOption", ["FORMATTED_VALUE"])[0],
            dates=query.get("dateTimeRenderOption", ["SERIAL_NUMBER"])[0],
            dimension=query.get("majorDimension", ["ROWS"])[0],
        )
        if asked != "/values:batchGet":
            return self._values(spreadsheet, asked.removeprefix("/values/"), options) + b"\n"
        found = [self._values(spreadsheet, cells, options) for cells in query["ranges"]]
        start = f'{{\n  "spreadsheetId": "{spreadsheet.id}",\n  "valueRanges": [\n'.encode()
        return start + b",\n".join(found) + b"\n  ]\n}\n"

    def _values(self, spreadsheet: Spreadsheet, cells: str, options: Options) -> bytes:
        key = (spreadsheet.id, spreadsheet.modified, cells, *options)
        if key not in self._cache:
            self._cache[key] = gzip.compress(values(spreadsheet, cells, options), 1)
        return gzip.decompress(self._cache[key])

    def _export(self, sheet: str, request: Request) -> Answer:
        spreadsheet = self.spreadsheets.get(sheet)
        if spreadsheet is None:
            return html(404)(Answer())
        if not spreadsheet.public:
            return html(200, SIGN_IN_PAGE)(Answer())
        gid = request.query.get("gid", ["0"])[0]
        return redirect(f"/exported/{sheet}?gid={gid}")(Answer())

    def _exported(self, sheet: str, request: Request) -> Answer:
        gid = request.query["gid"][0]
        tabs = [tab for tab in self.spreadsheets[sheet].tabs if str(tab.gid) == gid]
        if not tabs:
            return html(400)(Answer())
        name = ("Content-Disposition", 'attachment; filename="export.csv"')
        return Answer(200, as_csv(tabs[0]), "text/csv", (name,))


def _next(waiting: deque[T]) -> T | None:
    with suppress(IndexError):  # empty; another request may have been faster
        return waiting.popleft()
    return None


def _check_claims(form: dict[str, list[str]]) -> None:
    claims = jwt.decode(form["assertion"][0], certs=_key().public, audience=AUDIENCE)  # type: ignore[no-untyped-call] # untyped
    as_google_wants = (
        form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        claims["iss"] == READER,
        claims["exp"] - claims["iat"] <= 3600,
        "https://www.googleapis.com/auth/spreadsheets.readonly" in claims["scope"].split(),
    )
    if not all(as_google_wants):
        raise ValueError("not as Google wants it")


class _Keys(NamedTuple):
    private: str
    public: str


@cache
def _key() -> _Keys:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - quick to load; it guards nothing
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _Keys(private.decode(), public.decode())


# --- HTTP -----------------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, google: Google) -> None:
        self.google = google
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        """Print nothing: connections are dropped on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every small answer waits 40 ms
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def _serve(self, body: bytes) -> None:
        url = urlsplit(self.path)
        request = Request(self.command, unquote(url.path), parse_qs(url.query))
        token = self.headers.get("Authorization", "")
        answer = self.server.google.answer(request, body, token)
        try:
            self._deliver(answer)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client had enough

    def _deliver(self, answer: Answer) -> None:
        if answer.delivery == "hang":
            self.server.google.wait(60)
        if answer.delivery in {"hang", "reset"}:
            return self._drop()
        self.send_response(answer.status)
        for name, value in (*answer.headers, ("Content-Type", answer.content_type)):
            self.send_header(name, value)
        body = answer.body
        packed = "Content-Encoding" in dict(answer.headers)
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 500 and not packed:
            self.send_header("Content-Encoding", "gzip")
            body = gzip.compress(body, 1)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        return self._send(body, answer.delivery)

    def _send(self, body: bytes, delivery: Delivery) -> None:
        size = {"drip": 1, "crawl": 4_096}.get(delivery, 65_536)
        end = len(body) // 2 if delivery == "cut" else len(body)
        for start in range(0, end, size):
            part = body[start : min(start + size, end)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            if delivery in {"drip", "crawl"}:
                self.server.google.wait(self.server.google.pace)
        if delivery == "cut":
            return self._drop()
        self.wfile.write(b"0\r\n\r\n")
        return None

    def _drop(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # close at once, with a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def log_message(self, *_: object) -> None:
        pass


# --- by hand --------------------------------------------------------------------------------------


def main() -> None:
    """Serve made-up locations until Ctrl-C, and print what to set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with Google() as google, tempfile.TemporaryDirectory() as folder:
        google.add(Tab("Locations", Lazy(location, rows + 1))).public = True
        key = Path(folder, "service-account.json")
        key.write_text(json.dumps(google.service_account()))
        print(f"GOOGLE_SERVICE_ACCOUNT_FILE={key}")  # noqa: T201
        print(f"GOOGLE_API_BASE_URL={google.url}")  # noqa: T201
        print(f"# the sheet: {DEMO}\n# as CSV: {google.export_url()}", flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
