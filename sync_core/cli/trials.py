"""What trials of sources have found, for the shell."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sync_core.engine.trial import Trial


def as_json(resource: str, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return trials that could be made, as `source test --json` tells them."""
    ok = not any(trial.failed for trial in trials)
    return {"resource": resource, "ok": ok, "entities": {one.entity: _told(one) for one in trials}}


def _told(trial: Trial) -> dict[str, Any]:
    return {
        "sentence": trial.sentence,
        "read": trial.read,
        "failed": trial.failed,
        "whole": trial.whole,
        "findings": [{**found.first.as_json(), "rows": found.rows} for found in trial.findings],
        "notes": list(trial.notes),
        "sample": asdict(trial.sample) if trial.sample else None,
    }


def lines(trials: Sequence[Trial]) -> Iterator[str]:
    """Return trials as lines: what was found, then the first rows."""
    for trial in trials:
        yield trial.sentence
        for sentence in (*(found.sentence for found in trial.findings), *trial.notes):
            yield f"  {_on_one_line(sentence)}"
        if trial.sample:
            for cells in (trial.sample.headers, *trial.sample.rows):
                yield "  " + " | ".join(map(_on_one_line, cells))


def _on_one_line(text: str) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
