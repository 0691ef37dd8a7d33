"""The kinds of sources: each is declared once, and whole."""

from pathlib import Path

import pytest

from sync_core import sources
from sync_core.catalogue.resources import CATALOGUE
from sync_core.foundation.settings import ROOT
from sync_core.sources import SourceKind, parse_location
from sync_core.sources.kinds import KINDS
from tests.support.sources import refusal, source_setting

KIND_LIST = list(KINDS.values())


def test_every_file_of_kinds_is_in_the_catalogue() -> None:
    folder = Path(ROOT, "sync_core/sources/kinds")
    assert len(list(folder.glob("[!_]*.py"))) == len(KINDS)


@pytest.mark.parametrize("kind", KIND_LIST, ids=lambda kind: kind.name)
def test_a_kind_can_be_drawn_and_named(kind: SourceKind) -> None:
    assert kind.icon.startswith(":material/")
    assert kind.title[0].isupper()
    setting = source_setting(kind.name, "https://data.example.org/a.csv")
    assert sources.source_name(setting)
    link = sources.source_link(setting, may_set=True)
    assert link is None or "://" in link


def test_advice_names_every_kind() -> None:
    error = refusal(lambda: parse_location("./nothing"))
    assert error.advice == (
        "Give the address or id of a Google Sheet, the address of a CSV or workbook, folder:PATH"
        " or cliniko."
    )
    assert all(kind.typed in error.advice for kind in KIND_LIST)


def test_a_resource_is_held_by_an_account_or_by_none() -> None:
    accounts = {kind.name for kind in KIND_LIST if kind.account}
    assert {resource.held_by for resource in CATALOGUE.values()} - {None} <= accounts
