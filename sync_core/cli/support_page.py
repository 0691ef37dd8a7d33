"""The support hand-off page, from the catalogues: `make docs`."""

import re
from collections.abc import Iterator
from typing import get_args

from sync_core import sources
from sync_core.catalogue import resources
from sync_core.catalogue.cell_codes import CELL_CODES
from sync_core.foundation.errors import CATALOGUE, OWNER, Who
from sync_core.foundation.settings import LIMITS, ROOT
from sync_core.organizations.people import MAY, WORDS, Permission

PAGE = ROOT / "docs" / "support.md"
ANY = re.compile(r"\{\w+\}")

HEAD = """\
# Support hand-off

What somebody needs to know who supports the people of Sync Desk. Written by
`make docs` from the catalogues of the code; a test compares the two.
"""
DURATIONS = """\
## Usual durations

| rows of a source | a sync takes |
|---|---|
| fewer than 1,000 | seconds, up to 30 s where the source's server is slow |
| 1,000 to 10,000 | up to a minute |
| more than 10,000 | minutes; the network and the source's server decide |

How long the last syncs of a resource took is in its tab *History*; while a sync runs, its page says
how long it usually takes. After 300 s the page says that it takes long, and the sync continues. It
is ended after {usual}{special}, or what `SYNCDESK_TIME_LIMIT` says; nothing has changed
then. A source that stays silent for 120 s ends it as well.
"""
LOGS = """\
## Look something up

- **One sync**: its page, `/runs?id=RUN`, by a click in *Runs*, *Audit* or a *History*: rows,
  messages, attempts, phases, log. From a shell: `syncdesk status RUN`, `syncdesk history RESOURCE`.
- **Why a row did not make it**: the tab *Needs attention*, or `syncdesk rejects RUN --csv FILE`.
- **Who did what**: *Audit* (managers and administrators). Filters for period, resource, result,
  action, person, team, error code; words to search for. The address of the page keeps them, so that
  it can be sent to a colleague.
- **A file for a report**: *Audit*, *Download*: exactly what the filters show, as CSV. From a shell:
  `syncdesk export --csv FILE --since 2026-11-01 --status failed` (`syncdesk export --help`).
  Each export is itself an entry of the trail, with its filters, rows and SHA-256.
- **Can the trail be trusted?** *Audit* says through when it was verified. `syncdesk verify` does it
  now, names the first broken link, and ends with exit code 8 where there is one. Keep the `head`
  that it prints somewhere else: `syncdesk verify --head HASH` proves later that nothing before it
  was rewritten.

## When it does not go away

Ask for what **Copy details for support** puts on the clipboard: page, message, result, time, and
the number of the run. With that number everything else can be looked up.
"""


def page() -> str:
    """Write the whole page."""
    limits = resources.time_limits(LIMITS)
    special = "".join(f" ({name}: {_hours(seconds)})" for name, seconds in limits.special.items())
    parts = [
        HEAD,
        "\n".join(_what_can_be_synced()),
        "\n".join(_who_may_what()),
        DURATIONS.format(usual=_hours(limits.usual), special=special),
        LOGS,
        "\n".join(_errors()),
    ]
    return "\n".join(parts)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} h"


def _what_can_be_synced() -> Iterator[str]:
    yield "## What can be synced\n"
    yield "| resource | tables | a row is known by | rows are left out by | gone from the source |"
    yield "|---|---|---|---|---|"
    for resource in resources.CATALOGUE.values():
        for entity in resource.entities:
            keys = ", ".join(field.label for field in entity.keys)
            skips = ", ".join(skip.name for skip in entity.skips) or "-"
            cells = (resource.title, entity.title, keys, skips, entity.removal)
            yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _who_may_what() -> Iterator[str]:
    yield "## Who may do what\n"
    yield f"| | {' | '.join(MAY)} |"
    yield f"|---|{'---|' * len(MAY)}"
    for permission in get_args(Permission):
        marks = ("yes" if permission in may else "" for may in MAY.values())
        yield f"| {WORDS[permission]} | {' | '.join(marks)} |"
    yield "\nAn administrator lets people in: *Settings*, *People*, or `syncdesk person set`."
    yield ""


def _errors() -> Iterator[str]:
    yield "## Errors and what to do\n"
    yield "The dots are names. *Again* marks what may pass by itself: sync again first."
    for who in get_args(Who):
        yield f"\n### For the {who}\n"
        yield "| code | message | what to do | again |"
        yield "|---|---|---|---|"
        for code, entry in CATALOGUE.items():
            if entry.who == who:
                again = "yes" if entry.retry else ""
                yield f"| `{code}` | {_cell(entry.sentence)} | {_cell(entry.advice)} | {again} |"
    yield f"\n## What can be wrong with a row, for the {OWNER}\n"
    yield "| code | what is wrong | what to do |"
    yield "|---|---|---|"
    for code, found in CELL_CODES.items():
        yield f"| `{code}` | {found.summary} | {found.advice} |"


def _cell(text: str) -> str:
    known = text.replace("{sources}", sources.expected())  # the same wherever it is told
    return ANY.sub("…", known).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
