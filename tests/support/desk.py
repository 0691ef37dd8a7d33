"""A desk at which a test syncs CSV files of one organization."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sync_core import runs
from sync_core.catalogue import resources
from sync_core.execution import attempt
from sync_core.foundation import db, settings
from sync_core.foundation.vocabulary import Role
from sync_core.operations import syncs
from sync_core.organizations import Organization, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run

Rows = Sequence[Sequence[object]]
ANA = Person("Ana Ruiz", "ana.ruiz@example.org", Role.ADMIN, "IT")


def own_folder(slug: str) -> Path:
    """Return the folder from which an organization may read, which is there."""
    folder = settings.current().folders / slug
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Desk:
    """Syncs CSV files of one organization, in this process, as a worker would."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.folder = own_folder(organization.slug)
        self.locale: str | None = None  # of the files

    def write(self, entity: str, rows: Rows) -> None:
        with (self.folder / f"{entity}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)

    def set_source(self, resource: str) -> None:
        found = source_settings.parse(
            self.organization,
            resources.by_name(resource),
            f"folder:{self.folder.relative_to(own_folder(self.organization.slug))}",
            None,
            self.locale,
        )
        with db.everywhere() as connection:
            source_settings.save(connection, self.organization, found)

    def start(self, resource: str) -> Run:
        self.set_source(resource)
        return syncs.start(self.organization, resource, ANA, "test")

    def sync(self, resource: str, **files: Rows) -> Run:
        for entity, rows in files.items():
            self.write(entity, rows)
        return self.work(self.start(resource))

    def preview(self, resource: str, **files: Rows) -> Run:
        for entity, rows in files.items():
            self.write(entity, rows)
        self.set_source(resource)
        return self.work(syncs.preview(self.organization, resource, ANA, "test"))

    def work(self, run: Run) -> Run:
        attempt.work(run.id)
        return self.now(run)

    def now(self, run: Run) -> Run:
        with db.everywhere() as connection:
            return runs.get(connection, self.organization.id, run.id)

    @contextmanager
    def confirming(self, run: Run) -> Iterator[None]:
        """Confirm a plan in a transaction that is open meanwhile, so that nobody else ends it."""
        with db.everywhere() as connection:
            decided = runs.to_decide(connection, self.organization.id, run.id)
            yield
            runs.confirm(connection, decided)

    def counts(self, run: Run, entity: str) -> dict[str, int]:
        with db.everywhere() as connection:
            found = runs.tallies(connection, [run.id])[run.id][entity]
        return {kind: count for kind, count in found.items() if kind != "rules" and count}
