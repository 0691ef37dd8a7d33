"""The demo sign-in: anybody at this machine chooses a made-up person; never beside [auth]."""

import json
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

import streamlit as st
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from sync_core.foundation.settings import LOOPBACK

PATH = "/sign-in/demo"
SALT = "sync-desk-demo"
PROVIDER = "demo"  # in the cookie
TICKET_SECONDS = 60  # from the click to the sign-in
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
SEE_OTHER = 303


def is_open(headers: Mapping[str, str]) -> bool:
    """Return whether the request came straight from this machine, and nobody signs in otherwise."""
    names = {name.lower() for name in headers}
    host = urlsplit(f"//{headers.get('host') or headers.get('Host') or ''}").hostname
    return not has_auth() and host in LOOPBACK and names.isdisjoint(FORWARDED)


def has_auth() -> bool:
    """Return whether sign-in by OpenID Connect is configured."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def address(email: str, name: str, path: str) -> str:
    """Return the address that signs the person in, within a minute, and leads to the path."""
    ticket = _tickets().dumps({"email": email, "name": name, "path": path})
    return f"{PATH}?{urlencode({'ticket': ticket})}"


async def _enter(request: Request) -> Response:
    """Sign in whoever brings a ticket of ours: the cookie is the one that st.login would set."""
    ticket = _ticket(request.query_params.get("ticket", ""))
    if ticket is None or not is_open(request.headers):
        return RedirectResponse("/", SEE_OTHER)
    claims = {
        "email": ticket["email"],
        "name": ticket["name"],
        "origin": f"{request.url.scheme}://{request.headers['host']}",
        "is_logged_in": True,
        "provider": PROVIDER,
        "iat": int(time.time()),
    }
    cookie = create_signed_value(get_cookie_secret(), AUTH_COOKIE_NAME, json.dumps(claims))
    response = RedirectResponse(ticket["path"], SEE_OTHER)
    response.set_cookie(AUTH_COOKIE_NAME, cookie.decode(), httponly=True, samesite="lax")
    return response


def _ticket(signed: str) -> dict[str, str] | None:
    try:
        ticket: dict[str, str] = _tickets().loads(signed, max_age=TICKET_SECONDS)
    except BadSignature:  # too old, too
        return None
    return ticket


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_cookie_secret(), salt=SALT)


ROUTES = (Route(PATH, _enter),)
