"""The address of a source on the web, as a person types it."""

import re

import httpx2

from sync_core.foundation import settings
from sync_core.sources import way_out


def parse(text: str) -> httpx2.URL | None:
    """Return the address; None where the text is none. Raises ValueError where it must not be used.

    A source is read over https, unless the settings name its host as one of our own.
    """
    if not re.match(r"https?://", text, re.IGNORECASE):
        return None
    try:
        url = httpx2.URL(text)
        host = url.host
    except (httpx2.InvalidURL, UnicodeError):
        raise ValueError("the address is not valid") from None
    if any(label.startswith("xn--") for label in host.split(".")):  # httpx2 could not decode it
        raise ValueError("the address is not valid")
    if not host:
        raise ValueError("the address names no server")
    if url.userinfo:
        raise ValueError("an address must not hold a password")
    if url.scheme == "http" and not way_out.is_named(url, settings.current().private_hosts):
        raise ValueError("the address must begin with https://")
    return url


def without_password(text: str) -> str:
    """Return the text with `***` for all that may be a password: what stands before the last @."""
    return re.sub(r"(?<=://)\S*@", "***@", text)
