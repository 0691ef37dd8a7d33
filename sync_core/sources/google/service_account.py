"""The service account that reads Google Sheets: its key, and where that may lie."""

import json
from urllib.parse import urlsplit

from google.auth.exceptions import GoogleAuthError
from google.oauth2.service_account import Credentials
from gspread.auth import READONLY_SCOPES

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import LOOPBACK, Settings


def credentials(settings: Settings) -> Credentials:
    """Load the service account's key. Raises SyncError, whose sentence never holds the key."""
    text = _key(settings)
    try:
        info = json.loads(text)
    except ValueError:
        raise SyncError("bad_service_account", why="it is not JSON") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise SyncError("bad_service_account", why="it is not the key of a service account")
    if not _is_safe(info.get("token_uri")):
        raise SyncError("bad_service_account", why="its token_uri does not begin with https://")
    try:
        return Credentials.from_service_account_info(info, scopes=READONLY_SCOPES)  # type: ignore[no-any-return,no-untyped-call] # untyped
    except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
        missing = {"client_email", "private_key", "token_uri"} - info.keys()
        why = f"it lacks {', '.join(sorted(missing))}" if missing else "its private key is damaged"
        raise SyncError("bad_service_account", why=why) from error


def _is_safe(token_uri: object) -> bool:
    """Return whether what signs in may be sent there: over the network only encrypted."""
    url = urlsplit(token_uri if isinstance(token_uri, str) else "")
    return not token_uri or url.scheme == "https" or url.hostname in LOOPBACK


def _key(settings: Settings) -> str:
    if path := settings.google_service_account_file:
        try:
            return path.read_text()
        except OSError as error:
            why = f"its file cannot be read ({error.strerror})"
            raise SyncError("bad_service_account", why=why) from error
        except UnicodeDecodeError:
            raise SyncError("bad_service_account", why="its file is not text") from None
    if settings.google_service_account_json:
        return settings.google_service_account_json.value
    raise SyncError("no_service_account")
