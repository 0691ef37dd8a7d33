"""A small OpenID provider on loopback, which says of whoever comes whatever a test wants."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey


@dataclass
class Provider:
    """Where it is, and what its next token claims beside the usual; None: that it says nothing."""

    port: int
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k"}))
    says: dict[str, Any] = field(default_factory=dict)
    signs: Callable[[dict[str, Any]], str] | None = None  # instead of its key, makes the token
    asked: dict[str, dict[str, str]] = field(default_factory=dict)  # by code

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, path: str, query: dict[str, str]) -> dict[str, Any] | str:
        """Return JSON, or the address to which a browser is sent."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        if path == "/authorize":
            code = secrets.token_hex(8)
            self.asked[code] = query
            back = urlencode({"code": code, "state": query["state"]})
            return f"{query['redirect_uri']}?{back}"
        asked = self.asked.pop(query["code"])
        return {
            "access_token": secrets.token_hex(8),
            "token_type": "Bearer",
            "id_token": (self.signs or self._signed)(self._claims(asked)),
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "k"}, claims, self.key)

    def _claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.url,
            "aud": asked["client_id"],
            "sub": "somebody",
            "nonce": asked.get("nonce"),
            "iat": now,
            "exp": now + 600,
            "email_verified": True,
        }
        return {name: value for name, value in {**usual, **self.says}.items() if value is not None}


@contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            self._answer(path.path, {k: v[0] for k, v in parse_qs(path.query).items()})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer(urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(sent).items()})

        def _answer(self, path: str, query: dict[str, str]) -> None:
            told = provider.answers(path, query)
            self.send_response(302 if isinstance(told, str) else 200)
            if isinstance(told, str):
                self.send_header("location", told)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"" if isinstance(told, str) else json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(server.server_port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield provider
    server.shutdown()
    server.server_close()
