"""The service account that reads Google Sheets: its key, and where that may lie."""

import json

from google.auth.exceptions import GoogleAuthError
from google.oauth2.service_account import Credentials
from gspread.auth import READONLY_SCOPES

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings


def credentials(settings: Settings) -> Credentials:
    """Load the service account's key. Raises SyncError, whose sentence never holds the key."""
    text = _key(settings)
    try:
        info = json.loads(text)
    except ValueError:
        raise SyncError("bad_service_account", why="it is not JSON") from None
    if not isinstance(info, dict) or info.get("type") != "service_account":
        raise SyncError("bad_service_account", why="it is not the key of a service account")
    try:
        return Credentials.from_service_account_info(info, scopes=READONLY_SCOPES)  # type: ignore[no-any-return,no-untyped-call] # untyped
    except (GoogleAuthError, ValueError, TypeError, AttributeError) as error:
        missing = {"client_email", "private_key", "token_uri"} - info.keys()
        why = f"it lacks {', '.join(sorted(missing))}" if missing else "its private key is damaged"
        raise SyncError("bad_service_account", why=why) from error


def _key(settings: Settings) -> str:
    if path := settings.google_service_account_file:
        try:
            return path.read_text()
        except OSError as error:
            why = f"the file {path} cannot be read ({error.strerror})"
            raise SyncError("bad_service_account", why=why) from error
        except UnicodeDecodeError:
            raise SyncError("bad_service_account", why=f"the file {path} is not text") from None
    if settings.google_service_account_json:
        return settings.google_service_account_json.value
    raise SyncError("no_service_account")
