"""What happens to rows in a word, with its icon and colour; an undo has words of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sync_core.foundation.vocabulary import OutcomeKind, RunKind, RunStatus
from sync_core.records.privacy import MASK
from sync_core.runs import Run
from sync_core.ui.parts.words import Color


@dataclass(frozen=True)
class OutcomeLook:
    """A kind of outcome as people see it: never the colour alone."""

    word: str
    icon: str
    color: Color


LOOKS: Mapping[OutcomeKind, OutcomeLook] = {
    OutcomeKind.CREATED: OutcomeLook("Created", ":material/add_circle:", "green"),
    OutcomeKind.UPDATED: OutcomeLook("Updated", ":material/edit:", "blue"),
    OutcomeKind.REMOVED: OutcomeLook("Removed", ":material/do_not_disturb_on:", "gray"),
    OutcomeKind.SKIPPED: OutcomeLook("Skipped", ":material/step_over:", "orange"),
    OutcomeKind.FAILED: OutcomeLook("Failed", ":material/error:", "red"),
    OutcomeKind.UNCHANGED: OutcomeLook("Unchanged", ":material/check:", "gray"),
}
OF_AN_UNDO: Mapping[OutcomeKind, OutcomeLook] = {
    **LOOKS,
    OutcomeKind.UPDATED: OutcomeLook("Put back", ":material/undo:", "blue"),
    OutcomeKind.SKIPPED: OutcomeLook("Kept", ":material/lock:", "orange"),
    OutcomeKind.FAILED: OutcomeLook("Impossible", ":material/error:", "red"),
    OutcomeKind.UNCHANGED: OutcomeLook("Up to date", ":material/check:", "gray"),
}
PLANNED: Mapping[OutcomeKind, str] = {  # what is not done yet; a row that failed has failed
    OutcomeKind.CREATED: "To create",
    OutcomeKind.UPDATED: "To update",
    OutcomeKind.REMOVED: "To remove",
}


def open_text(text: str | None) -> str:
    """Return a text; "" where it is hidden: who may not see it is told so once, not in each row."""
    return "" if text is None or text == MASK else text


def look(run: Run, kind: str) -> OutcomeLook:
    """Return how a kind of outcome of the run is shown."""
    return _looks(run)[OutcomeKind(kind)]


def colors(run: Run) -> Mapping[str, Color]:
    """Return the colour of each word that the rows of a run may have."""
    return {one.word: one.color for one in _looks(run).values()}


def _looks(run: Run) -> Mapping[OutcomeKind, OutcomeLook]:
    looks = OF_AN_UNDO if run.kind == RunKind.UNDO else LOOKS
    if run.status != RunStatus.WAITING and not run.dropped_plan:
        return looks
    words = {**PLANNED, OutcomeKind.UPDATED: "To put back"} if looks is OF_AN_UNDO else PLANNED
    return {kind: replace(look, word=words.get(kind, look.word)) for kind, look in looks.items()}
