"""A mail server and a receiver of webhooks on loopback, and maintenance's courier with a clock."""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from sync_core.foundation import db, settings
from sync_core.notifications import courier

KEY = "0123456789abcdef0123456789abcdef"
PAGES = "https://sync.example.org"
REFUSED = "550 5.1.1 no such mailbox"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class PostOffice:
    """A mail server that may be closed, and open again; it keeps what it is given."""

    port: int = field(default_factory=free_port)
    host: str = "127.0.0.1"
    password: str = ""  # that a sign-in needs
    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)  # as they came over the wire
    unknown: set[str] = field(default_factory=set)  # addresses that it refuses
    _server: Any = None

    def open(self) -> Self:
        self._server = Controller(
            self,
            hostname=self.host,
            port=self.port,
            auth_require_tls=False,
            authenticator=self._sign_in,
        )
        self._server.start()
        return self

    def _sign_in(self, *given: Any) -> AuthResult:  # noqa: ANN401 - as aiosmtpd calls it
        right = given[4].password == self.password.encode()
        return AuthResult(success=right, handled=False)

    def close(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    def to(self, email: str) -> list[EmailMessage]:
        """Return what somebody got, oldest first."""
        return [mail for mail in self.mails if mail["To"] == email]

    async def handle_RCPT(self, *given: Any) -> str:  # noqa: ANN401, N802 - as aiosmtpd calls it
        _, _, envelope, address, _ = given
        if address in self.unknown:
            return REFUSED
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *given: Any) -> str:  # noqa: ANN401, N802 - as aiosmtpd calls it
        content = given[2].content
        self.raw.append(content)
        self.mails.append(message_from_bytes(content, _class=EmailMessage, policy=policy.SMTP))
        return "250 OK"


@dataclass(frozen=True)
class Posted:
    """A request that a receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Takes what is posted to it, and answers as it is told."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.posted: list[Posted] = []
        self.status = 204
        self.location = ""  # where a redirect leads
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.address = f"http://127.0.0.1:{self.port}/hook"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posted.append(Posted(self.path, headers, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def use(office: PostOffice, patch: pytest.MonkeyPatch, **more: str) -> None:
    """Let the settings of this process name the mail server."""
    given = {
        "SYNCDESK_ADDRESS": PAGES,
        "SYNCDESK_MAIL_SERVER": f"smtp://127.0.0.1:{office.port}",
        "SYNCDESK_MAIL_FROM": "sync@clinic.example.org",
        "SYNCDESK_MAIL_KEY": KEY,
        **more,
    }
    for name, value in given.items():
        patch.setenv(name, value)
    settings.current.cache_clear()


def forget() -> None:
    """Give up what is not delivered yet, and end digests: the tests share a database."""
    with db.everywhere() as connection:
        for statement in (
            "update messages set given_up_at = now() where sent_at is null and given_up_at is null",
            "update wishes set digest = 'never'",
            "update channels set digest = 'never'",
        ):
            connection.exec_driver_sql(statement)


def deliver(now: datetime) -> int:
    """Deliver what is due at a moment, as maintenance does; returns how many were tried."""
    return courier.deliver_due(lambda: now)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text


def html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    assert body is not None
    text: str = body.get_content()
    return text


def path_of(address: str) -> str:
    """Return the path and the question of an address."""
    parts = urlsplit(address.strip("<>"))
    return f"{parts.path}?{parts.query}"
