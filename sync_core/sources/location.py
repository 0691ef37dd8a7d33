"""Where a table's rows come from: what a person types, what is kept, and how it is shown."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import LOOPBACK

Kind = Literal["sheet", "csv", "folder", "cliniko"]

SPREADSHEET_URL = "https://docs.google.com/spreadsheets/d/"

CLINIKO = "cliniko"  # what a person types; the organization's key decides which account it is
HELD_BY_CLINIKO = frozenset({"appointment_types", "patients", "appointments"})  # entities

_SPREADSHEET_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_SPREADSHEET_PATH = re.compile(r"/spreadsheets/(?:u/\d+/)?d/([A-Za-z0-9_-]{20,})(?:/(\w*))?")
_CSV_PATHS = frozenset({"export", "pub"})


@dataclass(frozen=True)
class Location:
    """What a person's words mean: a sheet's id, a CSV's address, a folder's full path, Cliniko."""

    kind: Kind
    location: str
    tab: str | None = None  # the gid, where the address names one


@dataclass(frozen=True, kw_only=True)
class SourceSetting:
    """Where one entity of an organization is read: what the organization has set."""

    organization: str  # its slug
    resource: str
    entity: str
    kind: Kind
    location: str
    tab: str | None = None  # gid or title
    locale: str | None = None  # None: as the source says, else ISO


def parse_location(text: str, cwd: Path) -> Location:
    """Return the location that a person's words mean; relative folders start at `cwd`.

    Raises SyncError (bad_location).
    """
    text = text.strip()
    if not text.isprintable():
        raise _bad(ascii(text)[1:-1], "it holds an unprintable character")
    if text.lower() == CLINIKO:
        return Location("cliniko", CLINIKO)
    if text.lower().startswith("folder:"):
        return _folder(text, cwd)
    if re.match(r"https?://", text, re.IGNORECASE):
        return _address(text)
    if _SPREADSHEET_ID.fullmatch(text):
        return Location("sheet", text)
    raise _bad(text, "it is no address, no id of a sheet, no folder and not Cliniko")


def _bad(text: str, why: str) -> SyncError:
    return SyncError("bad_location", text=text, why=why)


def _folder(text: str, cwd: Path) -> Location:
    path = text.split(":", 1)[1].strip()
    if not path:
        raise _bad(text, "the path of the folder is missing")
    try:
        # a link stays a link: what it points at may change from sync to sync
        return Location("folder", str((cwd / Path(path).expanduser()).absolute()))
    except RuntimeError:
        raise _bad(text, "there is no such home folder") from None


def _address(text: str) -> Location:
    url = _url(text)
    sheet = _SPREADSHEET_PATH.search(url.path) if url.host == "docs.google.com" else None
    if sheet is None or sheet[2] in _CSV_PATHS:
        return Location("csv", text)
    if sheet[2] == "gviz":
        raise _bad(text, "this kind of export blanks cells, take the address of the sheet itself")
    gid = httpx.QueryParams(url.fragment).get("gid") or url.params.get("gid")
    return Location("sheet", sheet[1], gid)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError):
        raise _bad(text, "the address is not valid") from None
    if not host:
        raise _bad(text, "the address names no server")
    if url.userinfo:
        raise _bad(str(url.copy_with(userinfo=b"***")), "an address must not hold a password")
    if url.scheme == "http" and host not in LOOPBACK:
        raise _bad(text, "the address must begin with https://")
    return url


def source_name(setting: SourceSetting) -> str:
    """Return the name of a source in sentences: "Google Sheet 1AbC…wxyz, tab Locations"."""
    if setting.kind == "cliniko":
        return "Cliniko"
    if setting.kind == "folder":
        return f"folder {setting.location}"
    if setting.kind == "csv":
        return f"CSV at {httpx.URL(setting.location).host}"
    name = f"Google Sheet {setting.location[:4]}…{setting.location[-4:]}"
    return f"{name}, tab {setting.tab}" if setting.tab else name


def source_link(setting: SourceSetting) -> str | None:
    """Return the address at which a person sees the source, where there is one."""
    if setting.kind in {"folder", "cliniko"}:
        return None
    if setting.kind == "csv":
        return setting.location
    gid = f"#gid={setting.tab}" if setting.tab and setting.tab.isdecimal() else ""
    return f"{SPREADSHEET_URL}{setting.location}/edit{gid}"
