"""The command of the shell that mends an error: sentences for pages quote none."""

from sync_core.foundation.errors import SyncError

HINTS = {  # by code; a format string over the error's facts
    "name_the_entity": "syncdesk source set {resource} TABLE=LOCATION",
    "no_folder": "ls -la SYNCDESK_FOLDERS/SLUG/{path}",
    "source_not_allowed": "syncdesk source allow LOCATION --org SLUG",
    "no_source": "syncdesk source set {resource} LOCATION",
    "unknown_locale": "syncdesk source set RESOURCE LOCATION --locale en_AU",
    "unknown_organization": "syncdesk org add {slug} NAME",
    "unknown_person": "syncdesk person set {email} NAME --role ROLE",
    "no_service_account": "set GOOGLE_SERVICE_ACCOUNT_FILE, and restart the workers",
    "needs_migration": "syncdesk migrate",
    "no_worker": "python worker.py",
}


def hint(error: SyncError) -> str:
    """Return the command that helps against an error; empty where none does."""
    return HINTS.get(error.code, "").format(**error.facts)
