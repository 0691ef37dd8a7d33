"""Sheets as people really keep them, through the real readers: the right value, or the sentence."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.policies import Policy
from sync_core.runs import Run
from tests.support import cases
from tests.support.cases import Case, Sync
from tests.support.desk import ANA, own_folder
from tests.support.fakes.google import DEMO, Google
from tests.support.unguarded import unguarded


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as google:
        monkeypatch.setenv("GOOGLE_API_BASE_URL", google.url)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_JSON", json.dumps(google.service_account()))
        settings.current.cache_clear()
        yield google
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.mark.parametrize("case", cases.everyone(), ids=lambda case: f"{case.name}: {case.kind}")
def test_a_sheet_as_people_keep_it(
    case: Case, organization: Organization, google: Google, database: psycopg.Connection
) -> None:
    _prepare(database, organization, case)
    for sync in case.syncs:
        run = _sync(organization, case, sync, google)
        assert (run.status, run.message) == (sync.status, sync.message)
        assert list(run.notes) == list(sync.notes)
        for entity, expected in sync.issues.items():
            assert _issues(database, run, entity) == expected
        for entity, records in sync.records.items():
            found = _records(database, organization, entity)
            for key, columns in records.items():
                assert {column: found[key][column] for column in columns} == columns


def _prepare(database: psycopg.Connection, organization: Organization, case: Case) -> None:
    database.execute(
        "update organizations set country = %s where id = %s", [case.country, organization.id]
    )
    removal = Removal(case.removal) if case.removal else None
    unguarded(organization, case.resource, Policy(removal=removal))  # each sync has its own folder


def _sync(organization: Organization, case: Case, sync: Sync, google: Google) -> Run:
    declared, folder = resources.by_name(case.resource), case.folder(sync)
    shutil.copytree(folder, own_folder(organization.slug) / folder.name, dirs_exist_ok=True)
    where = f"folder:{folder.name}"
    if (folder / "meta.json").exists():
        meta = json.loads((folder / "meta.json").read_text())
        sheet = google.add(*cases.tabs(folder))
        sheet.title, sheet.locale = meta["title"], meta["locale"]
        sheet.modified = f"2026-11-20T08:47:44.{len(google.requests):03d}Z"
        where = DEMO
    with db.everywhere() as connection:
        found = source_settings.parse(organization, declared, where, None, sync.locale)
        source_settings.save(connection, organization, found)
    run = syncs.start(organization, case.resource, ANA, "test")
    attempt.work(run.id)
    with db.everywhere() as connection:
        return runs.get(connection, organization.id, run.id)


def _issues(database: psycopg.Connection, run: Run, entity: str) -> dict[str, list[str]]:
    """Return what is wrong, by row number, in the order of the cells."""
    rows = database.execute(
        "select row_number, issues from outcomes where run_id = %s and entity = %s"
        " and kind = 'failed' order by row_number",
        [run.id, entity],
    )
    return {str(row): [issue["sentence"] for issue in issues] for row, issues in rows}


def _records(
    database: psycopg.Connection, organization: Organization, entity: str
) -> dict[str, dict[str, Any]]:
    """Return the records by their keys."""
    rows = database.execute(
        f"select to_jsonb(t) from {entity} t where organization_id = %s", [organization.id]
    )
    keys = [field.column for field in resources.ENTITIES[entity].keys]
    return {" ".join(str(record[key]) for key in keys): record for (record,) in rows}
