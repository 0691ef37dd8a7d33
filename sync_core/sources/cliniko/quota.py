"""Cliniko's rate limit: 200 requests a minute for each API key."""

import hashlib

from sync_core.foundation.settings import Secret
from sync_core.sources.rate_limit import Quota

REQUESTS = 200


def quota(key: Secret, requests: int = REQUESTS, seconds: float = 60.0) -> Quota:
    """Return the quota of a key, whose name does not reveal it."""
    digest = hashlib.sha256(key.value.encode()).hexdigest()[:20]
    return Quota(f"cliniko:{digest}", requests, seconds)
