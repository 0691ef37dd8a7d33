"""What probes of sources have found, for the shell."""

from collections.abc import Iterator, Sequence

from sync_core.engine.probe import Probe


def lines(probes: Sequence[Probe]) -> Iterator[str]:
    """Return probes as lines: what was found, then the first rows."""
    for probe in probes:
        yield probe.sentence
        for sentence in (*(found.sentence for found in probe.findings), *probe.notes):
            yield f"  {_on_one_line(sentence)}"
        if probe.sample:
            for cells in (probe.sample.headers, *probe.sample.rows):
                yield "  " + " | ".join(map(_on_one_line, cells))
            if probe.sample.hidden:
                yield f"  Hidden here: {', '.join(probe.sample.hidden)}."


def _on_one_line(text: str) -> str:
    """Return a text without what would steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
