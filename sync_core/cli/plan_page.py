"""The SQL of a plan, as a file to read and to try: `python -m sync_core.cli.plan_page`."""

import re
from collections.abc import Iterable, Iterator

from sqlalchemy.dialects.postgresql import dialect

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.catalogue.resources.therapists import THERAPISTS
from sync_core.engine import plan_script
from sync_core.engine.headers import Columns
from sync_core.engine.observations import Observations, Sign
from sync_core.engine.plan_script import Step
from sync_core.engine.statements import Scope
from sync_core.foundation.settings import ROOT
from sync_core.foundation.vocabulary import Removal
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy

PAGE = ROOT / "docs" / "plan_therapists.sql"

TEXT_OR_NAME = re.compile(r"'(?:[^']|'')*'|\"(?P<name>[^\"]+)\"")

HEAD = """\
-- What a sync of therapists plans: the statements of run 1 of organization 1, in their order.
--
-- `make docs` writes this file from sync_core/engine (settle.py, checks, ambiguity.py, plan.py,
-- staging.py); a test compares the two, and runs the statements beside the engine. Paste it into
-- psql: it changes nothing. To look into a run that is planned at the moment, put its number for 1
-- in the names of the tables in staging, that of its organization for organization_id, and leave
-- out the first part, which makes the tables of the rows.
--
-- s: the rows that were read, t: the table that is kept up to date, p: the plan, v: what was found.
-- The first sync of an organization needs none of this where nothing is wrong: all is created.

begin;
"""
# As if a page had shown it.
SIGN = Sign("Therapists!G9", "numbers like 1.234,50; write them like 1,234.50")
ROWS = """
-- Here the rows come in, a page at a time, each by one COPY.
"""
END = """
rollback;
"""


def page(run_id: int = 1, organization_id: int = 1) -> str:
    """Write the whole page; its columns stand in the order of the catalogue."""
    scopes = list(_scopes(_resource(), run_id, organization_id))
    made = _written(plan_script.tables(scopes))
    planned = (_written(plan_script.steps(scope)) for scope in scopes)
    return "".join([HEAD, *made, ROWS, *(part for parts in planned for part in parts), END])


def _resource() -> Resource:
    """Return the therapists as they are where removed rows are marked, so that all is shown."""
    return policies.applied(THERAPISTS, Policy(removal=Removal.DEACTIVATE))


def _scopes(resource: Resource, run_id: int, organization_id: int) -> Iterator[Scope]:
    for place, entity in enumerate(resource.entities):
        headers = tuple(field.label for field in entity.fields)
        columns = Columns(tuple((f, i) for i, f in enumerate(entity.fields)), headers, ())
        yield Scope(
            run_id=run_id,
            organization_id=organization_id,
            entity=entity,
            columns=columns,
            title=entity.title,
            observed=Observations(signs={"Hourly rate": SIGN}),
            together=resource.entities[:place],
            known=resources.ENTITIES,
        )


def _written(steps: Iterable[Step]) -> Iterator[str]:
    for title, statement in steps:
        yield f"\n-- {title}\n{_plainly(statement.as_string())};\n"


def _plainly(statement: str) -> str:
    """Leave out the quotes round names that need none; texts are left alone."""
    quote = dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it out
    return TEXT_OR_NAME.sub(lambda m: quote(m["name"]) if m["name"] else m[0], statement)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
