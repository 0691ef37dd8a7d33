"""An organization's API key of Cliniko: where it is set, and which server it opens."""

import re

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Secret, Settings, cliniko_variable

VERSION = "v1"
SHARD = re.compile(r"[a-z]{2}\d{1,2}")
FIRST_SHARD = "au1"  # of keys from before there were several


def find(organization: str, settings: Settings) -> Secret:
    """Return the key of an organization (slug). Raises SyncError, which never holds the key."""
    key = settings.cliniko_keys.get(organization)
    if path := settings.cliniko_key_files.get(organization):
        try:
            key = Secret(path.read_text(encoding="utf-8").strip())
        except OSError as error:
            why = f"its file cannot be read ({error.strerror})"
            raise SyncError("bad_cliniko_key", why=why) from error
        except UnicodeDecodeError:
            raise SyncError("bad_cliniko_key", why="its file is not text") from None
    if key is None:
        variable = cliniko_variable(organization)
        raise SyncError("no_cliniko_key", organization=organization, variable=variable)
    return key


def base_url(key: Secret, server: str | None) -> str:
    """Return the address that a key is for: its own shard's, or another server's.

    Raises SyncError: the ending of the key becomes part of a host's name, so it is checked.
    """
    if not re.fullmatch(r"[!-9;-~]+", key.value):  # what may stand before the colon of Basic
        raise SyncError("bad_cliniko_key", why="it is blank, or holds a character that no key has")
    if server:
        return f"{server.rstrip('/')}/{VERSION}"
    return f"https://api.{_shard(key)}.cliniko.com/{VERSION}"


def _shard(key: Secret) -> str:
    _, suffixed, shard = key.value.rpartition("-")
    if not suffixed:
        return FIRST_SHARD
    if not SHARD.fullmatch(shard):
        raise SyncError("bad_cliniko_key", why="its ending is none such as -au1")
    return shard
