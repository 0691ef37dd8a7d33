"""What probes of sources have found, for the shell."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sync_core.engine.probe import Probe


def as_json(resource: str, probes: Sequence[Probe]) -> dict[str, Any]:
    """Return probes that could be made, as `source test --json` tells them."""
    ok = not any(probe.failed for probe in probes)
    return {"resource": resource, "ok": ok, "entities": {one.entity: _told(one) for one in probes}}


def _told(probe: Probe) -> dict[str, Any]:
    return {
        "sentence": probe.sentence,
        "read": probe.read,
        "failed": probe.failed,
        "whole": probe.whole,
        "findings": [{**found.first.as_json(), "rows": found.rows} for found in probe.findings],
        "notes": list(probe.notes),
        "sample": asdict(probe.sample) if probe.sample else None,
    }


def lines(probes: Sequence[Probe]) -> Iterator[str]:
    """Return probes as lines: what was found, then the first rows."""
    for probe in probes:
        yield probe.sentence
        for sentence in (*(found.sentence for found in probe.findings), *probe.notes):
            yield f"  {_on_one_line(sentence)}"
        if probe.sample:
            for cells in (probe.sample.headers, *probe.sample.rows):
                yield "  " + " | ".join(map(_on_one_line, cells))


def _on_one_line(text: str) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
