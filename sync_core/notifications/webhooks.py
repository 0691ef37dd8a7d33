"""A letter as a webhook gets it, and its signature; `docs/webhooks.md` tells who receives it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from sync_core.notifications.letters import Entry, Letter
from sync_core.notifications.outbox import Message
from sync_core.organizations import Organization

VERSION = "v1"  # of the signature
ENCODED = "whsec_"  # what begins a key that is written in Base64


def body(letter: Letter, organization: Organization, message: Message) -> bytes:
    """Return what is posted: JSON, the same at each try."""
    told = {
        "id": message.id,
        "form": message.content.form,
        "organization": organization.slug,
        "subject": letter.subject,
        "events": [_event(entry) for entry in letter.entries],
        "notes": list(letter.closing),
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _event(entry: Entry) -> Mapping[str, Any]:
    return {
        "kind": entry.kind,
        "resource": entry.resource,
        "run": entry.run_id,
        "at": entry.at.isoformat() if entry.at else None,
        "title": entry.title,
        "text": list(entry.lines),
        "counts": dict(entry.counts) if entry.counts else None,
        "link": entry.link,
    }


def headers(content: bytes, key: str, number: int, timestamp: int) -> Mapping[str, str]:
    """Return the headers that sign what is posted at a moment (seconds since 1970)."""
    return {
        "Content-Type": "application/json",
        "Webhook-Id": f"syncdesk-{number}",
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": f"{VERSION},{signature(content, key, number, timestamp)}",
    }


def signature(content: bytes, key: str, number: int, timestamp: int) -> str:
    """Return the HMAC-SHA256 over number, moment and body, in Base64."""
    signed = f"syncdesk-{number}.{timestamp}.".encode() + content
    return base64.b64encode(hmac.digest(_bytes(key), signed, hashlib.sha256)).decode()


def _bytes(key: str) -> bytes:
    return base64.b64decode(key.removeprefix(ENCODED)) if key.startswith(ENCODED) else key.encode()
