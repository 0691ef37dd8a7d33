"""Whether a sign-in counts at these pages: its provider has made it for them, and nobody else."""

from collections.abc import Mapping
from typing import Any

from streamlit.auth_util import get_secrets_auth_section

from sync_core.organizations import sign_ins
from sync_core.ui.frame import demo_sign_in


def counts(claims: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Return whether a sign-in is of a provider, for us, or of the demo where there is one."""
    if claims.get("iss") == sign_ins.DEMO:
        return demo_sign_in.is_open(headers)
    return _is_for_us(claims)


def _is_for_us(claims: Mapping[str, Any]) -> bool:
    """Return whether the audience is our client; Authlib takes the authorized party for enough."""
    known = get_secrets_auth_section()
    provider, audience = claims.get("provider"), claims.get("aud")
    own = known.get(str(provider)) or (known if provider == "default" else {})
    client = own.get("client_id")
    named = client in audience if isinstance(audience, list) else client == audience
    return not known or (bool(client) and named)
