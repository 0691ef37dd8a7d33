"""Google Sheets: a spreadsheet, and a tab of it for each table."""

import re

import httpx2

from sync_core.catalogue.source import Source
from sync_core.sources import web_address
from sync_core.sources.google.client import quota
from sync_core.sources.google.sheets import SPREADSHEET_URL, SheetsSource
from sync_core.sources.kind import Location, Opening, SourceKind, SourceSetting

SHEET = "sheet"
_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_PATH = re.compile(r"/spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]{20,})(?:/(\w*))?")
_CSV_PATHS = frozenset({"export", "pub"})  # such an address is that of a CSV


def _parse(text: str) -> Location | None:
    if _ID.fullmatch(text):
        return Location(SHEET, text)
    url = web_address.parse(text)
    found = _PATH.search(url.path) if url and url.host == "docs.google.com" else None
    if url is None or found is None or found[2] in _CSV_PATHS:
        return None
    if found[2] == "gviz":
        raise ValueError("this kind of export blanks cells, take the address of the sheet itself")
    gid = httpx2.QueryParams(url.fragment).get("gid") or url.params.get("gid")
    return Location(SHEET, found[1], gid)


def _label(setting: SourceSetting) -> str:
    name = f"Google Sheet {setting.location[:4]}…{setting.location[-4:]}"
    tab = setting.tab_title or setting.tab
    return f"{name}, tab {tab}" if tab else name


def _link(setting: SourceSetting) -> str:
    gid = f"#gid={setting.tab}" if setting.tab and setting.tab.isdecimal() else ""
    return f"{SPREADSHEET_URL}{setting.location}/edit{gid}"


def _open(setting: SourceSetting, opening: Opening) -> Source:
    return SheetsSource(setting, opening.settings, opening.retrier("Google"), opening.on_traffic)


GOOGLE_SHEET = SourceKind(
    name=SHEET,
    title="Google Sheet",
    icon=":material/table:",
    typed="the address or id of a Google Sheet",
    parse=_parse,
    label=_label,
    link=_link,
    written=lambda setting: f"{SPREADSHEET_URL}{setting.location}/edit",
    open=_open,
    quota="program",
    limit=lambda _setting, settings: quota(settings),
    needs=frozenset(
        {
            "google_service_account_file",
            "google_service_account_json",
            "google_api_base_url",
            "google_reads",
        }
    ),
    shared=True,
)
