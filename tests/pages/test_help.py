"""Help: what it says of cells is what the fields say."""

from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.catalogue.fields.guide import GUIDES
from sync_core.catalogue.fields.placeholders import PLACEHOLDERS
from sync_core.catalogue.header_row import LOOKED_AT
from sync_core.foundation.errors import CATALOGUE
from sync_core.foundation.vocabulary import GuardKind
from sync_core.organizations.policies import Guards, Threshold
from sync_core.runs.recovery import DECISION_HOURS
from sync_core.sources.files.row_shape import SEPARATORS
from sync_core.ui.audit import chain_status
from sync_core.ui.runs import decision
from tests.support.pages import Visit


def test_the_help_tells_what_may_stand_in_a_cell(visit: Visit) -> None:
    page = visit("help")
    (cells,) = [t.value for t in page.table if "Takes" in t.value.columns]
    assert list(cells["Cell"]) == [f"**{guide.title}**" for guide in GUIDES]
    assert "`$1,234.50` as `1234.50`" in cells["Read as"][4]
    told = " ".join(markdown.value for markdown in page.markdown)
    assert [word for word in PLACEHOLDERS if f"`{word}`" not in told] == []


def test_the_help_tells_the_guards_as_they_are_by_default(visit: Visit) -> None:
    (guards,) = [t.value for t in visit("help").table if "Guard" in t.value.columns]
    told = dict(zip(guards["Guard"], guards["A sync waits"], strict=True))
    assert len(told) == len(GuardKind)
    usual = [str(one) for one in vars(Guards()).values() if isinstance(one, Threshold)]
    assert sorted(one.replace("\\", "") for one in told.values()) == sorted(
        [*usual, "always", "always"]
    )


def test_the_help_tells_of_plans_undos_files_and_what_verified_means(visit: Visit) -> None:
    page = visit("help")
    told = " ".join(markdown.value for markdown in page.markdown)
    for fact in (
        decision.WHAT_UNDO_MEANS,
        chain_status.MEANING,
        f"waits {DECISION_HOURS} hours",
        f"first {LOOKED_AT} rows",
        "SHA-256",
        *(f"`{mark}`" for mark in SEPARATORS if mark != "\t"),
    ):
        assert fact in " ".join(told.split())
    undone = next(t.value for t in page.table if "**Put back**" in str(t.value))
    assert all(f"**{word}**" in str(undone) for word in ("Kept", "Impossible", "Removed"))
    assert "{" not in told


def test_the_help_tells_every_message_as_a_whole_sentence(visit: Visit) -> None:
    (messages,) = [t.value for t in visit("help").table if "Message" in t.value.columns]
    assert len(messages) == len(CATALOGUE) + len(CELL_CODES)
    told = [*messages["Message"], *messages["What to do"]]
    assert [text for text in told if "…" in text or "{" in text or text[-2:] != "\\."] == []
    assert "Column \\'Email\\' is missing\\." in told
