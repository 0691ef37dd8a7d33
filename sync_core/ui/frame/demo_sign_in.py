"""The demo sign-in: anybody at this machine chooses a made-up person.

It exists only where `syncdesk up` has started the pages on loopback, over the embedded database,
and nobody signs in otherwise: what stands in a database of somebody's own is never opened by it.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import streamlit as st
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import LOOPBACK
from sync_core.operations import access
from sync_core.organizations import sign_ins

PATH = "/sign-in/demo"
SALT = "sync-desk-demo"
TICKET_SECONDS = 60  # from the click to the sign-in
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
SEE_OTHER = 303


def is_open(headers: Mapping[str, str]) -> bool:
    """Return whether there is a demo, and the request came straight from this machine."""
    names = {name.lower() for name in headers}
    host = urlsplit(f"//{headers.get('host') or headers.get('Host') or ''}").hostname
    return why_closed() is None and host in LOOPBACK and names.isdisjoint(FORWARDED)


def why_closed() -> str | None:
    """Return why nobody may sign in as somebody of the demo, for who starts the pages."""
    address = st.get_option("server.address")
    if has_auth():
        return "people sign in with OpenID Connect"
    if settings.current().database_url:
        return "DATABASE_URL names a database of your own"
    if not settings.started_by_up():
        return "the demo is started by syncdesk up alone"
    return None if address in LOOPBACK else f"they are served at {address or 'every address'}"


def has_auth() -> bool:
    """Return whether sign-in by OpenID Connect is configured."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def address(email: str, name: str, path: str) -> str:
    """Return the address that signs the person in, within a minute, and leads to the path."""
    said = {"email": email, "name": name, "path": path, "jti": secrets.token_hex(16)}
    ticket = _tickets().dumps(said)
    return f"{PATH}?{urlencode({'ticket': ticket})}"


async def _enter(request: Request) -> Response:
    """Sign in whoever brings a ticket of ours, from a page of ours, for the first time.

    The cookie is the one that st.login would set.
    """
    ticket = _ticket(request.query_params.get("ticket", ""))
    if ticket is None or not is_open(request.headers) or not _comes_from_our_page(request):
        return RedirectResponse("/", SEE_OTHER)
    claims = {
        "iss": sign_ins.DEMO,
        "sub": ticket["email"],
        "email": ticket["email"],
        "email_verified": True,
        "name": ticket["name"],
        "origin": f"{request.url.scheme}://{request.headers['host']}",
        "is_logged_in": True,
        "iat": ticket["iat"],
        "jti": ticket["jti"],
    }
    try:
        await run_in_threadpool(access.arrive, sign_ins.read(claims), once=True)
    except SyncError:  # it was used before
        return RedirectResponse("/", SEE_OTHER)
    cookie = create_signed_value(get_cookie_secret(), AUTH_COOKIE_NAME, json.dumps(claims))
    response = RedirectResponse(ticket["path"], SEE_OTHER)
    response.set_cookie(AUTH_COOKIE_NAME, cookie.decode(), httponly=True, samesite="lax")
    return response


def _comes_from_our_page(request: Request) -> bool:
    """Return whether a page of ours has led here: no link elsewhere, and no address that was sent.

    Every browser says so to this machine.
    """
    return request.headers.get("sec-fetch-site") == "same-origin"


def _ticket(signed: str) -> dict[str, Any] | None:
    try:
        ticket, made_at = _tickets().loads(signed, max_age=TICKET_SECONDS, return_timestamp=True)
    except BadSignature:  # too old, too
        return None
    return {**ticket, "iat": int(made_at.timestamp())}


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_cookie_secret(), salt=SALT)


ROUTES = (Route(PATH, _enter),)
