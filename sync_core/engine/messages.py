"""The sentences in which a run tells its counts: for the screen, and for the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_core.catalogue.resource import Entity
from sync_core.engine.tally import Tally
from sync_core.foundation.vocabulary import CHANGED, OutcomeKind

NAMED = 20  # rows that the log message names, of each kind
DONE = {kind: str(kind) for kind in CHANGED}  # what becomes of rows, in words
PLANNED = {
    OutcomeKind.CREATED: "to create",
    OutcomeKind.UPDATED: "to update",
    OutcomeKind.REMOVED: "to remove",
}


@dataclass(frozen=True)
class Named:
    """A row that did not make it, with its reason."""

    name: str
    reason: str
    rule: str | None = None  # of a skipped row

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})"


def message(
    tallies: Mapping[str, Tally],
    entities: Sequence[Entity],
    named: Mapping[str, Sequence[Named]] | None = None,
) -> str:
    """Return the counts of a run, in one sentence an entity; with `named` rows, their reasons."""
    told = counts(tallies, entities, named)
    return told if len(entities) > 1 else f"Processed {told}"


def counts(
    tallies: Mapping[str, Tally],
    entities: Sequence[Entity],
    named: Mapping[str, Sequence[Named]] | None = None,
    *,
    planned: bool = False,
) -> str:
    """Return the counts alone: of what was done, or is to be done where it is `planned`."""
    rows = named or {}
    words = PLANNED if planned else DONE
    parts = {e.name: _parts(tallies[e.name], rows.get(e.name, ()), words) for e in entities}
    if len(entities) == 1:
        only = entities[0]
        return f"{only.counted(tallies[only.name].read)}: {parts[only.name]}."
    return " ".join(f"{e.title}: {parts[e.name]}." for e in entities)


def undone(
    run_id: int,
    tallies: Mapping[str, Tally],
    named: Mapping[str, Sequence[Named]] | None = None,
    *,
    planned: bool = False,
) -> str:
    """Return what an undo takes back, or will where it is `planned`, and what it leaves."""
    rows = [row for some in (named or {}).values() for row in some]
    of = {kind: sum(getattr(t, kind) for t in tallies.values()) for kind in OutcomeKind}
    what = "to undo" if planned else "undone"
    changed = sum(of[kind] for kind in CHANGED)
    parts = [f"{changed:,} {what}" if changed else f"nothing {what}"]
    parts += _with_reasons(of[OutcomeKind.SKIPPED], "kept", [row for row in rows if row.rule])
    parts += _with_reasons(
        of[OutcomeKind.FAILED], "impossible", [row for row in rows if not row.rule]
    )
    parts += (
        [f"{of[OutcomeKind.UNCHANGED]:,} up to date already"] if of[OutcomeKind.UNCHANGED] else []
    )
    return f"Undo of run {run_id}: {', '.join(parts)}."


def _parts(tally: Tally, named: Sequence[Named], words: Mapping[OutcomeKind, str]) -> str:
    told = {kind: f"{getattr(tally, kind):,} {words[kind]}" for kind in CHANGED}
    parts = [told[OutcomeKind.CREATED], told[OutcomeKind.UPDATED]]
    parts += [f"{tally.unchanged:,} unchanged"] if tally.unchanged else []
    failed = [row for row in named if row.rule is None]
    parts += _with_reasons(tally.failed, "failed", failed)
    parts += _with_reasons(tally.skipped - sum(tally.rules.values()), "skipped", [])
    for rule, count in tally.rules.items():
        parts += _with_reasons(count, f"{rule} skipped", [n for n in named if n.rule == rule])
    parts += [told[OutcomeKind.REMOVED]] if tally.removed else []
    return ", ".join(parts)


def _with_reasons(count: int, what: str, named: Sequence[Named]) -> list[str]:
    if not count:
        return []
    if not named:
        return [f"{count:,} {what}"]
    names = ", ".join(str(row) for row in named[:NAMED])
    more = f" and {count - NAMED:,} more" if count > NAMED else ""
    return [f"{count:,} {what}: {names}{more}"]
