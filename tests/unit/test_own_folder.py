"""What an organization may read of the server: its own folder, and nothing else by any way."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sync_core import sources
from sync_core.catalogue.source import Source
from sync_core.foundation.errors import SyncError
from sync_core.foundation.settings import Settings
from sync_core.sources import Opening
from tests.support.sources import LOCATIONS, all_rows, refusal, source_setting

OURS = "Location code\nL1\n"
THEIRS = "Location code\nSecret\n"


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Make the folders of two organizations, and a file beside them."""
    for place, text in (("ours/clinics", OURS), ("theirs/clinics", THEIRS), ("outside", THEIRS)):
        (tmp_path / "folders" / place).mkdir(parents=True)
        (tmp_path / "folders" / place / "locations.csv").write_text(text)
    (tmp_path / "outside").symlink_to(tmp_path / "folders" / "outside")
    return tmp_path / "folders"


def source(folders: Path, path: str, organization: str = "ours") -> Source:
    """Return a source as a worker opens it, whatever was kept as its path."""
    setting = replace(source_setting("folder", path), organization=organization)
    return sources.open_source(setting, Opening(settings=Settings(given_folders=folders)))


def read(folders: Path, path: str, organization: str = "ours") -> list[str]:
    return [row[0] for _, row in all_rows(source(folders, path, organization).open(LOCATIONS))]


def refused(folders: Path, path: str) -> str:
    """Return the sentence, which is the same for whatever may not be read."""
    error = refusal(lambda: source(folders, path).open(LOCATIONS))
    assert error.code == "no_folder"
    assert str(folders) not in f"{error.sentence} {error.advice}"
    return error.sentence


def nothing_at(path: str) -> str:
    if path.startswith("/"):  # as it was set before organizations had folders
        path = "…/etc"
    return f"There is nothing to read at '{path}' in the organization's folder."


def test_each_organization_reads_its_own_folder(folders: Path) -> None:
    assert read(folders, "clinics") == ["L1"]
    assert read(folders, "clinics", "theirs") == ["Secret"]


@pytest.mark.parametrize(
    "path",
    [
        "../theirs/clinics",
        "clinics/../../theirs/clinics",
        "..",
        "clinics/../../../outside",
        "/etc",
        "//etc",
        "~",
        "CLINICS",  # as it is written, where the disk tells them apart
        "‥/theirs/clinics",
        "．．/theirs/clinics",  # noqa: RUF001 - that is the trick
        "..\\theirs\\clinics",
        "%2e%2e/theirs/clinics",
        "clinics\0",
        "clinics/locations.csv",
        "c" * 300,
        "nowhere",
    ],
)
def test_no_path_leads_out_and_each_is_told_alike(folders: Path, path: str) -> None:
    assert refused(folders, path) == nothing_at(path)


@pytest.mark.parametrize("way", ["by folders", "by links", "to and fro"])
def test_no_way_is_endless(folders: Path, way: str) -> None:
    deep = "/".join(["a"] * 70)
    (folders / "ours" / deep).mkdir(parents=True)
    (folders / "ours" / deep / "locations.csv").write_text(OURS)
    (folders / "ours" / "link").symlink_to("/".join(["a"] * 35))
    (folders / "ours" / "/".join(["a"] * 35) / "link").symlink_to("/".join(["a"] * 35))
    path = {"by folders": deep, "by links": "link/link", "to and fro": "clinics/../" * 3000}[way]
    assert refused(folders, path) == nothing_at(path)
    assert read(folders, "clinics") == ["L1"]


def test_a_full_path_is_refused_though_it_leads_inside(folders: Path) -> None:
    path = str(folders / "ours" / "clinics")
    error = refusal(lambda: source(folders, path).open(LOCATIONS))
    assert error.code == "no_folder"


LEADS_OUT = {  # links, and where they lead
    "by a full path": {"link": "{folders}/theirs/clinics"},
    "by a relative path": {"link": "../theirs/clinics"},
    "by a full path that leads inside": {"link": "{folders}/ours/clinics"},
    "to nothing": {"link": "../theirs/nothing"},
    "out and back": {"../back": "ours/clinics", "link": "../back"},
    "in two steps": {"next": "../theirs", "link": "next/clinics"},
    "in a circle": {"link": "link"},
    "up, from a folder below": {"clinics/up": "../../theirs", "link": "clinics/up/clinics"},
}


@pytest.mark.parametrize("way", LEADS_OUT)
def test_no_link_leads_out(folders: Path, way: str) -> None:
    for name, target in LEADS_OUT[way].items():
        (folders / "ours" / name).symlink_to(target.format(folders=folders))
    for path in ("link", "link/below"):
        assert refused(folders, path) == nothing_at(path)


def test_the_folder_of_an_organization_is_no_link(folders: Path) -> None:
    (folders / "ours").rename(folders / "moved")
    (folders / "ours").symlink_to("theirs")
    assert refused(folders, "clinics") == nothing_at("clinics")


FILES: dict[str, Callable[[Path], object]] = {
    "a link to another organization's file": lambda at: at.symlink_to(
        "../../theirs/clinics/locations.csv"
    ),
    "a link to a file of the system": lambda at: at.symlink_to("/etc/passwd"),
    "a link to nothing": lambda at: at.symlink_to("/nothing/there"),
    "a folder": lambda at: at.mkdir(),
    "a pipe": os.mkfifo,
    "a device": lambda at: at.symlink_to("/dev/zero"),
    "what may not be read": lambda at: at.touch(0),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_no_file_of_the_own_folder_is_not_read(folders: Path, kind: str) -> None:
    if kind == "what may not be read" and os.geteuid() == 0:
        pytest.skip("root may read it")
    file = folders / "ours" / "clinics" / "locations.csv"
    file.unlink()
    FILES[kind](file)
    assert refused(folders, "clinics") == nothing_at("clinics/locations.csv")


def test_a_link_that_stays_inside_is_followed(folders: Path) -> None:
    """As people lay a new folder beside the old one, and let a link lead to it."""
    (folders / "ours" / "2026-11").mkdir()
    (folders / "ours" / "current").symlink_to("2026-11")
    (folders / "ours" / "2026-11" / "locations.csv").symlink_to("../clinics/locations.csv")
    assert read(folders, "current") == ["L1"]


def test_what_changes_places_while_it_is_read_leads_nowhere_else(folders: Path) -> None:
    """A folder and a link to another organization's take turns, as fast as they can."""
    place, aside, link = (folders / "ours" / name for name in ("clinics", "aside", "link"))
    link.symlink_to("../theirs/clinics")
    done = threading.Event()

    def swap() -> None:
        while not done.is_set():
            place.rename(aside)
            link.rename(place)
            place.rename(link)
            aside.rename(place)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        found = [_rows_or_code(folders) for _ in range(500)]
    finally:
        done.set()
        swapping.join()
    assert {"no_folder", "L1"} >= set(found)


def _rows_or_code(folders: Path) -> str:
    try:
        return ",".join(read(folders, "clinics"))
    except SyncError as error:
        return error.code


BECOMES: dict[str, Callable[[Path], object]] = {
    "a link": lambda at: at.symlink_to("../../theirs/clinics/locations.csv"),
    "a pipe": os.mkfifo,
}


@pytest.mark.parametrize("becomes", BECOMES)
def test_what_becomes_another_thing_between_a_look_and_its_opening_is_not_read(
    folders: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    file, look = folders / "ours" / "clinics" / "locations.csv", os.stat

    def look_and_change(path: Any, **how: Any) -> os.stat_result:  # noqa: ANN401 - as it is asked
        found = look(path, **how)
        if path == file.name:
            file.unlink()
            BECOMES[becomes](file)
        return found

    monkeypatch.setattr(os, "stat", look_and_change)
    assert refused(folders, "clinics") == nothing_at("clinics/locations.csv")
