"""The messages of Help as whole sentences: where a message names something, an example."""

from collections import defaultdict
from collections.abc import Mapping
from string import Formatter

from sync_core.catalogue import resources
from sync_core.foundation.errors import CATALOGUE

_FIRST = next(iter(resources.CATALOGUE.values()))
MISSING = "…"  # no message should have it: a test looks

_OF_ANY: dict[str, object] = {  # by the name of the fact
    "address": "hooks.example.org",
    "ago": "12 s",
    "cell": "Locations!B7",
    "cells": "B1 and D1",
    "character": "U+200B",
    "charset": "UTF-8",
    "claim": "email",
    "country": "Xx",
    "doing": "start syncs",
    "email": "ana.ruiz@example.org",
    "entity": "rooms",
    "expected": "412",
    "files": "'locations.csv' and 'Locations.xlsx'",
    "first": 12,
    "folder": "folder clinics",
    "found": "410",
    "held": "420",
    "hint": "",
    "holds": "holds other labels",
    "host": "api.au1.cliniko.com",
    "hours": 24,
    "id": "1AbCdEfGh",
    "instead": "a tab of that name has another number",
    "key": "T-0001",
    "known": "locations or therapists",
    "label": "Email",
    "last": "1,000",
    "later": 13,
    "length": "95",
    "limit": 100,
    "line": 7,
    "locale": "xx_XX",
    "longest": "80",
    "may": "practitioners",
    "method": "DELETE",
    "minutes": 60,
    "missing": "Packages",
    "most": "100",
    "moved": "a newer sync was applied",
    "name": "The file 'locations.csv'",
    "organization": "Northwind Care",
    "owner": "syncdesk_owner",
    "path": "clinics",
    "permission": "sync",
    "place": 3,
    "program": "syncdesk",
    "quoted": "",
    "reader": "sync@example.org",
    "records": "1,498 records",
    "resource": _FIRST.title,
    "role": "viewer",
    "roles": "an analyst",
    "row": 7,
    "run": 12,
    "second": 13,
    "seconds": 30,
    "sheet": "Locations",
    "slug": "northwind",
    "source": "The Google Sheet",
    "sources": "the address of a Google Sheet or of a CSV",
    "spreadsheet": "Master data",
    "status": "503",
    "tab": "Locations",
    "table": _FIRST.main.title.lower(),
    "tabs": "'Clinics' and 'Notes'",
    "text": "every blue moon",
    "time_zone": "Mars/Base",
    "times": 3,
    "title": "Brands & packages",
    "total": "1,511",
    "variable": "KEY",
    "versions": "41 and 42",
    "what": "appointments",
    "who": "Sarah Lim",
    "why": "the message says why",
}
_OF_ONE: dict[str, dict[str, object]] = {  # where the same name means something else
    "bad_address": {"email": "ana.example.org"},
    "bad_channel_name": {"name": "**"},
    "bad_days": {"longest": "365"},
    "bad_locale": {"text": "Klingon"},
    "bad_location": {"text": "my sheet"},
    "bad_request": {"what": "'from' is not a date"},
    "bad_retention": {"longest": "36,500"},
    "bad_slug": {"slug": "North Wind"},
    "bad_time_limit": {"longest": "1,440"},
    "already_ended": {"how": "Synced"},
    "cell_too_large": {"limit": "1 MB"},
    "channel_exists": {"name": "Reception"},
    "cliniko_shrank": {"expected": "1,511", "total": "1,498"},
    "csv_not_found": {"status": "404"},
    "csv_refused": {"status": "403"},
    "csv_too_large": {"limit": "100 MB"},
    "google_answer_too_large": {"limit": "100 MB"},
    "google_api_disabled": {"email": "sync@example.org"},
    "google_contradicts": {"name": "the Google Sheet"},
    "google_refused_key": {"email": "sync@example.org"},
    "google_scopes_missing": {"email": "sync@example.org"},
    "grid_too_large": {"limit": "10,000,000 cells"},
    "key_used": {"key": "night-1"},
    "name_the_entity": {"known": "therapists or schedules"},
    "name_the_organization": {"known": "demo or northwind"},
    "no_source": {"what": "Locations"},
    "no_such_address": {"path": "/api/v1/rooms"},
    "not_a_workbook": {"what": "a web page"},
    "not_csv": {"what": "a picture"},
    "no_permission": {"role": "a viewer"},
    "nothing_to_decide": {"status": "completed"},
    "nothing_to_prove": {"row": "row 7"},
    "search_refused": {"what": "more than 20 words"},
    "several_to_prove": {"row": "row 7", "found": "created and updated"},
    "target_changed": {"table": _FIRST.main.title.lower()},
    "token_exists": {"name": "Nightly export"},
    "too_much_sent": {"limit": "1,000,000"},
    "unknown_resource": {"resource": "rooms"},
    "unknown_role": {"role": "chief", "known": "viewer, analyst, manager or admin"},
    "unknown_table": {"table": "rooms"},
    "unknown_token": {"name": "Nightly export"},
    "unparted_header": {"name": "the file 'locations.csv'"},
    "upload_lost": {"name": "locations.csv"},
    "upload_too_large": {"name": "locations.csv"},
    "upload_unused": {"name": "locations.csv"},
    "workbook_too_large": {"what": "a tab", "limit": "100 MB"},
    "wrong_method": {"path": "/api/v1/runs"},
}


def filled(code: str, text: str) -> str:
    """Return what a message of this code says, or advises, with examples for what it names."""
    examples: Mapping[str, object] = {**_OF_ANY, **_OF_ONE.get(code, {})}
    return Formatter().vformat(text, (), defaultdict(lambda: MISSING, examples))


def messages() -> list[tuple[str, str, str]]:
    """Return each message about a run or a request, its advice, and who can follow that."""
    return [
        (filled(code, entry.sentence), filled(code, entry.advice), entry.who.capitalize())
        for code, entry in CATALOGUE.items()
    ]
