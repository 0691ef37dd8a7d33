"""A folder of files: which one holds a table, CSV or workbook."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sync_core.catalogue.resource import Entity
from sync_core.catalogue.source import Sheet
from sync_core.sources import SourceSetting
from sync_core.sources.files.folder import FolderSource
from sync_core.sources.files.own_folder import OwnFolder
from tests.support.sources import all_rows, refusal
from tests.support.workbooks import in_memory, workbook

THERAPISTS = Entity(name="therapists", title="Therapists", fields=())
SCHEDULES = Entity(name="schedules", title="Schedules", fields=())


def opened(folder: Path, entity: Entity, tab: str | None = None) -> Sheet:
    setting = SourceSetting(
        organization="demo",
        resource="therapists",
        entity=entity.name,
        kind="folder",
        location=".",
        tab=tab,
    )
    return FolderSource(setting, OwnFolder(folder.parent, folder.name)).open(entity)


def write(folder: Path, name: str, *tabs: str) -> None:
    """Write a CSV, or a workbook with these tabs; each says in its one row where it stands."""
    if name.lower().endswith(".csv"):
        (folder / name).write_text(f"Name\n{name}\n")
        return
    first, *others = tabs or ("Sheet1",)
    book = workbook(["Name"], [f"{name} {first}"], title=first)
    for title in others:
        sheet = book.create_sheet(title)
        sheet.append(["Name"])
        sheet.append([f"{name} {title}"])
    (folder / name).write_bytes(in_memory(book))


def first_row(sheet: Sheet) -> str:
    [(_, [text])] = all_rows(sheet)
    return text


def test_a_table_is_read_from_the_csv_or_the_workbook_that_is_named_like_it(
    tmp_path: Path,
) -> None:
    write(tmp_path, "Therapists.csv")
    write(tmp_path, "SCHEDULES.XLSX")
    write(tmp_path, "~$SCHEDULES.XLSX")  # what Excel leaves beside an open workbook
    assert first_row(opened(tmp_path, THERAPISTS)) == "Therapists.csv"
    assert first_row(opened(tmp_path, SCHEDULES)) == "SCHEDULES.XLSX Sheet1"


def test_one_workbook_of_the_resource_serves_each_table_from_its_tab(tmp_path: Path) -> None:
    write(tmp_path, "therapists.xlsx", "Schedules", "Therapists")
    assert first_row(opened(tmp_path, THERAPISTS)) == "therapists.xlsx Therapists"
    assert first_row(opened(tmp_path, SCHEDULES)) == "therapists.xlsx Schedules"
    assert first_row(opened(tmp_path, SCHEDULES, tab="Therapists")) == "therapists.xlsx Therapists"


def test_a_file_of_its_own_wins_over_the_workbook_of_the_resource(tmp_path: Path) -> None:
    write(tmp_path, "therapists.xlsx", "Schedules", "Therapists")
    write(tmp_path, "schedules.csv")
    assert first_row(opened(tmp_path, SCHEDULES)) == "schedules.csv"


@pytest.mark.parametrize(
    "names",
    [
        ["schedules.csv", "schedules.xlsx"],
        ["SCHEDULES.csv", "schedules.csv"],
        ["schedules.xlsm", "schedules.xlsx"],
    ],
)
def test_several_files_that_may_be_a_table_are_refused_and_named(
    names: Sequence[str], tmp_path: Path
) -> None:
    for name in names:
        write(tmp_path, name)
    one, other = names
    assert refusal(lambda: opened(tmp_path, SCHEDULES)).sentence == (
        f"'{one}' and '{other}' in the organization's folder may all be the table 'schedules'."
    )


def test_a_missing_file_is_named_with_what_would_do(tmp_path: Path) -> None:
    error = refusal(lambda: opened(tmp_path, SCHEDULES))
    assert error.sentence == (
        "There is neither 'schedules.csv' nor 'schedules.xlsx' in the organization's folder."
    )
    assert "one workbook 'therapists.xlsx' with a tab for each" in error.advice


def test_a_workbook_that_calls_itself_csv_is_read_as_one(tmp_path: Path) -> None:
    write(tmp_path, "schedules.xlsx")
    (tmp_path / "schedules.xlsx").rename(tmp_path / "schedules.csv")
    assert first_row(opened(tmp_path, SCHEDULES)) == "schedules.xlsx Sheet1"
