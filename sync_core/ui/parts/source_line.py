"""Where the rows of a resource come from, in a line."""

from datetime import UTC, datetime

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db
from sync_core.foundation.errors import SyncError
from sync_core.organizations import Organization, source_settings
from sync_core.runs import Run, tab_titles, uploads
from sync_core.runs.promise import Promise
from sync_core.sources import SourceSetting, source_link, source_name
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal, synced

NOT_SET = "no source is set"


@st.cache_resource(ttl=10, max_entries=1_000, show_spinner=False)
def settings_of(organization: Organization, resource: str) -> list[SourceSetting]:
    """Return the source settings of a resource, one for each entity; none where one is missing."""
    with db.within(organization.id) as connection:
        try:
            found = source_settings.read(connection, organization, resources.by_name(resource))
            return tab_titles.named(connection, organization, found)
        except SyncError:
            return []


def forget() -> None:
    """Read the source settings again, for one has just been changed."""
    settings_of.clear()


def in_step(run: Run, promise: Promise | None = None) -> str:
    """Return in Markdown when a run brought the tables in step, who asked, and with what file.

    With the promise of how old they may become, it says whether that is kept.
    """
    names = " and ".join(map(literal, files_of(run.organization_id, run.id)))
    told = synced(run) + (f", from the file {names}" if names else "")
    return told + promise.verdict(datetime.now(UTC)) if promise else told


@st.cache_resource(max_entries=1_000, show_spinner=False)
def files_of(organization_id: int, run_id: int) -> list[str]:
    """Return the names of the files that a run was given."""
    with db.within(organization_id) as connection:
        return [file.name for file in uploads.of_run(connection, run_id)]


def named(here: Visitor, resource: Resource) -> list[tuple[str, str | None]]:
    """Return the sources in words, each once, with a link where this visitor may see it."""
    found = settings_of(here.organization, resource.name)
    return list(dict.fromkeys((source_name(one), _link(here, one)) for one in found))


def words(here: Visitor, resource: Resource) -> str:
    """Return the sources in Markdown, with links where they can be seen."""
    found = [
        f"[{literal(name)}]({address(link)})" if link else f":gray[{literal(name)}]"
        for name, link in named(here, resource)
    ]
    return ":gray[from] " + " :gray[and] ".join(found) if found else f":gray[{NOT_SET}]"


def linked(here: Visitor, setting: SourceSetting) -> str:
    """Return the name of a source in Markdown, with a link where this visitor may see it."""
    name, link = literal(source_name(setting)), _link(here, setting)
    return f"[{name}]({address(link)})" if link else name


def _link(here: Visitor, setting: SourceSetting) -> str | None:
    return source_link(setting, may_set=here.person.may("administer"))


def address(link: str) -> str:
    """Return an address in which no character ends the Markdown link."""
    return "".join(c if c not in " <>()[]\\\"'`" else f"%{ord(c):02X}" for c in link)
