"""The cookie of the pages, read by the routes beside them: who is signed in."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from sync_core.ui.frame import addressed


def claims(request: HTTPConnection) -> Mapping[str, Any]:
    """Return what Streamlit's signed cookie says, under Streamlit's conditions; else nothing."""
    signed = get_cookie_with_chunks(lambda name: _decoded(request, name), AUTH_COOKIE_NAME)
    try:
        found = json.loads(signed) if signed else {}
    except ValueError:
        return {}
    if urlsplit(str(found.get("origin"))).netloc != request.headers.get("host"):
        return {}
    return found if addressed.counts(found, request.headers) else {}


def _decoded(request: HTTPConnection, name: str) -> bytes | None:
    value = request.cookies.get(name)
    if value is None:
        return None
    return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1"))
