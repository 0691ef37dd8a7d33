"""Sign-ins of made-up people, as an OpenID provider vouches for them."""

import json
import secrets
import time
from typing import Any

from streamlit.web.server.server_util import AUTH_COOKIE_NAME, get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from sync_core.operations import access
from sync_core.organizations import sign_ins as kept
from sync_core.organizations.memberships import Places
from sync_core.organizations.sign_ins import SignIn

CLIENT, ISSUER = "sync-desk", "https://id.example.org"
SECRET = "a-secret-of-the-tests-that-is-long-enough"  # noqa: S105 - of the tests
SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{pages}/oauth2callback"
cookie_secret = "{secret}"
client_id = "{client}"
client_secret = "made-up"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
"""


def secrets_of(pages: int, provider: int) -> str:
    """Return what `.streamlit/secrets.toml` says of pages whose people a provider knows."""
    return SECRETS.format(pages=pages, provider=provider, secret=SECRET, client=CLIENT)


def claims(email: str, /, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the claims of a new sign-in; what `others` says is None is missing."""
    about = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": email,
        "email": email,
        "email_verified": True,
        "iat": int(time.time()),
        "nonce": secrets.token_hex(8),
        "is_logged_in": True,
        "provider": "default",
    }
    return {name: value for name, value in {**about, **others}.items() if value is not None}


def cookie(url: str, email: str, secret: str | None = None, /, **others: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    """Return the cookie of a new sign-in at the pages with this address."""
    said = json.dumps(claims(email, **{"origin": url, **others}))
    signed = create_signed_value(secret or get_cookie_secret(), AUTH_COOKIE_NAME, said)
    return {AUTH_COOKIE_NAME: signed.decode()}


def arrived(email: str, /, **others: Any) -> Places:  # noqa: ANN401 - JSON
    """Return the places of somebody who has just signed in."""
    return access.arrive(sign_in(email, **others))


def sign_in(email: str, /, **others: Any) -> SignIn:  # noqa: ANN401 - JSON
    """Return the sign-in for which such claims vouch."""
    return kept.read(claims(email, **others))
