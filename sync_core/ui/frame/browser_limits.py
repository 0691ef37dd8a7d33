"""What browsers may do on our pages, and what they may say to Streamlit's server."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg

MESSAGES = frozenset(  # that pages send; the rest empties the caches of all, or tells of the server
    "rerun_script app_heartbeat stop_script file_urls_request backend_operation_request".split()
)
SHELL = Path(st.__file__).parent / "static" / "index.html"  # Streamlit's, in which pages are drawn


def needs(message: bytes) -> bool:
    """Return whether pages of ours send such a message."""
    read = BackMsg()
    try:
        read.ParseFromString(message)
    except Exception:  # noqa: BLE001 - it is no message at all: Streamlit's server closes over it
        return True
    return read.WhichOneof("type") in MESSAGES


def content_policy() -> str:
    """Return what pages may load and run: what is ours, and what Streamlit cannot do without.

    It writes styles into the page, and runs components of ours from `blob:` addresses.
    """
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: {' '.join(_scripts_of_the_shell())}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _scripts_of_the_shell() -> list[str]:
    """Name the scripts that stand in Streamlit's page itself, by their hashes."""
    inside = re.findall(r"<script>(.*?)</script>", SHELL.read_text(encoding="utf-8"), re.DOTALL)
    digests = [hashlib.sha256(text.encode()).digest() for text in inside]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
