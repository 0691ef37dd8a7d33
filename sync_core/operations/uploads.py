"""A sync of files that somebody gives instead of the source that is set: for this one run."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Entity, Resource
from sync_core.execution import reader_process
from sync_core.foundation import db, settings
from sync_core.foundation.errors import SyncError
from sync_core.operations import syncs
from sync_core.organizations import Organization, people, source_settings
from sync_core.organizations.people import Person
from sync_core.runs import Run
from sync_core.runs.uploads import CHUNK, Upload
from sync_core.sources import alone
from sync_core.sources.files.table_file import is_workbook

MB = 2**20
LONGEST_NAME = 200  # characters of a file's name that are kept


@dataclass(frozen=True)
class GivenFile:
    """A file as somebody gives it; `entity` names the table that it is for, if they said so."""

    name: str
    content: BinaryIO
    entity: str | None = None


@dataclass(frozen=True)
class _Kept:
    """A given file on this machine's disk."""

    name: str
    entity: str | None
    content: BinaryIO
    size: int
    sha256: str
    serves: list[str] = field(default_factory=list)  # entities that are read from it

    def open_for(self, entity: Entity, locale: str | None) -> SyncError | None:
        """Return why the entity cannot be read from the file; None if it can."""
        asked = {"name": self.name, "entity": entity.name, "locale": locale}
        try:
            with reader_process.FILES.turn():
                environment = alone.environment()
                reader_process.read("find_header", asked, [self.content], environment=environment)
        except SyncError as error:
            return error
        return None


@dataclass(frozen=True)
class _Refusal:
    """Why an entity cannot be read from a file."""

    file: _Kept
    error: SyncError

    def is_of_a_tab_for(self, entity: Entity) -> bool:
        """Return whether the file is a workbook with a tab that is named like the entity."""
        tab = str(self.error.facts.get("sheet", "")).strip().casefold()
        named = tab in {entity.title.casefold(), entity.name}
        return named and is_workbook(self.file.content)


def start(
    organization: Organization,
    resource: str,
    person: Person,
    trigger: str,
    files: Sequence[GivenFile],
    locale: str | None = None,
    *,
    preview: bool = False,
) -> Run:
    """Start a sync that reads these files, once the headers of all tables are found in them.

    As a `preview`, it stops after its plan.

    Without a locale, that of the source that is set counts. Raises SyncError: no_permission,
    unknown_resource, unknown_entity, bad_locale, upload_too_large, upload_incomplete,
    upload_unused, what a file that cannot be read raises, already_running, cooldown.
    """
    person = people.require(person, "sync")
    declared = resources.by_name(resource)
    written = source_settings.known_locale(locale) or _locale_of(organization, declared)
    with ExitStack() as stack:
        kept = [stack.enter_context(_kept(file)) for file in files]
        _assign(declared, kept, written)
        begin = syncs.preview if preview else syncs.start
        return begin(
            organization,
            resource,
            person,
            trigger,
            [(_upload(file, written), file.content) for file in kept],
        )


def _locale_of(organization: Organization, resource: Resource) -> str | None:
    with db.within(organization.id) as connection:
        found = source_settings.read_all(connection, organization)
    return next((s.locale for s in found if s.resource == resource.name and s.locale), None)


@contextmanager
def _kept(file: GivenFile) -> Iterator[_Kept]:
    """Copy a file to the disk while it is worked on. Raises SyncError (upload_too_large)."""
    limit, size, digest = settings.current().upload_limit, 0, hashlib.sha256()
    name = file.name[-LONGEST_NAME:]
    with tempfile.TemporaryFile() as content:
        while chunk := file.content.read(CHUNK):
            size += len(chunk)
            if size > limit * MB:
                raise SyncError("upload_too_large", name=name, limit=limit)
            digest.update(chunk)
            content.write(chunk)
        content.flush()
        yield _Kept(name, file.entity, content, size, digest.hexdigest())


def _upload(file: _Kept, locale: str | None) -> Upload:
    return Upload(
        entities=file.serves,
        name=file.name,
        size=file.size,
        sha256=file.sha256,
        locale=locale,
    )


def _assign(resource: Resource, files: Sequence[_Kept], locale: str | None) -> None:
    """Find the file of each entity: the one that was given for it, or the one that holds it."""
    for file in files:
        if file.entity is not None:
            resources.entity(resource, file.entity)  # or else there is none of that name
    refusals = {entity.name: _find(entity, files, locale) for entity in resource.entities}
    served = {name for file in files for name in file.serves}
    for entity in resource.entities:
        if entity.name not in served:
            raise _best(resource, entity, refusals[entity.name])
    for file in files:
        if not file.serves:
            raise SyncError("upload_unused", name=file.name)


def _find(entity: Entity, files: Sequence[_Kept], locale: str | None) -> list[_Refusal]:
    """Let one file serve the entity; else return why each does not."""
    meant = [file for file in files if file.entity == entity.name]
    refusals = []
    for file in meant or [file for file in files if file.entity is None]:
        error = file.open_for(entity, locale)
        if error is None:
            file.serves.append(entity.name)
            return []
        refusals.append(_Refusal(file, error))
    return refusals


def _best(resource: Resource, entity: Entity, refusals: Sequence[_Refusal]) -> SyncError:
    """Return the error of the file that was probably meant for the entity."""
    for refusal in refusals:
        if not refusal.file.serves or refusal.is_of_a_tab_for(entity):
            return refusal.error
    return SyncError("upload_incomplete", title=resource.title, missing=entity.title)
