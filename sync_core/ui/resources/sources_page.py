"""The sources of all resources: where each is read, whether that works, and a sync of it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.operations import administration
from sync_core.organizations.source_settings import LAST_HEADER_ROW
from sync_core.sources import SourceSetting, expected, kind_of, source_file, source_words
from sync_core.ui.frame import form, polling, run_state, visitor
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.run_state import RunState
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import page_head, source_line
from sync_core.ui.parts.words import literal
from sync_core.ui.resources import file_sync, source_test
from sync_core.ui.runs import head_line, status_strip, sync_button

FILES = (
    " To change what is in a file of a folder, edit it on the computer that runs Sync Desk, in this"
    " organization's own folder **{own}**, and sync; or sync a file of yours this once with"
    " **From a file**."
)


def show() -> None:
    """Show the sources of the visitor's organization. Raises SyncError("no_permission")."""
    here = visitor.enter("read")
    page_head.show("Sources", ":material/cable:")
    st.caption(
        f"A sync reads its source to the end before it changes anything.{_about_files(here)}"
    )
    for resource in resources.CATALOGUE.values():
        _card(here, resource)


def _about_files(here: Visitor) -> str:
    """Return how the files of a folder are changed, where one is a source."""
    if not here.person.may("sync"):
        return ""
    names = resources.CATALOGUE
    settings = [one for name in names for one in source_line.settings_of(here.organization, name)]
    if not any(source_file(setting) for setting in settings):
        return ""
    return FILES.format(own=literal(here.organization.slug))


def _card(here: Visitor, resource: Resource) -> None:
    state = run_state.read(here.organization.id)
    run = state.runs.get(resource.name)
    with st.container(border=True, key=f"card-{resource.name}"):
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"head-{resource.name}"
        ):
            st.page_link(
                page_file(resource.name), label=f"**{resource.title}**", icon=resource.icon
            )
            st.space("stretch")
            if here.person.may("sync"):
                source_test.offer(here, resource)
                file_sync.offer(here, resource, run)
                sync_button.show(here, resource, state, "secondary")
        _settings(here, resource)
        source_test.show(here, resource)
        if run and run.active:
            polling.follow(here, partial(_draw, here, resource))
        else:
            _draw(here, resource, state)
        if here.person.may("administer"):
            _setting_form(here, resource)


def _draw(here: Visitor, resource: Resource, state: RunState) -> None:
    """Show how the resource stands, and how its run goes."""
    status_strip.show(
        here, resource, state, head_line.of(here, resource, state, names_sources=False)
    )


def _settings(here: Visitor, resource: Resource) -> None:
    """Show the tables with their source, those of one source together."""
    settings = {
        setting.entity: setting
        for setting in source_line.settings_of(here.organization, resource.name)
    }
    tables: dict[str, list[str]] = {}
    for entity in resource.entities:
        tables.setdefault(_describe(here, settings.get(entity.name)), []).append(entity.title)
    lines = [f":gray[{' and '.join(titles)}:] {source}" for source, titles in tables.items()]
    st.markdown("  \n".join(f":small[{line}]" for line in lines))


def _describe(here: Visitor, setting: SourceSetting | None) -> str:
    if setting is None:
        return f":orange[:material/link_off: {source_line.NOT_SET}]"
    file = source_file(setting)
    shown = f"**{literal(file)}** in " * bool(file) + source_line.linked(here, setting)
    locale = f" · locale {literal(setting.locale)}" if setting.locale else ""
    header = f" · header in row {setting.header_row}" if setting.header_row else ""
    return f"{kind_of(setting).icon} {shown}{locale}{header}"


def _setting_form(here: Visitor, resource: Resource) -> None:
    """Ask for another source, beginning with what is set."""
    kept = source_line.settings_of(here.organization, resource.name)
    with st.expander("Change the source", icon=":material/edit:", key=f"change-{resource.name}"):
        entity = _choose_table(resource, kept)
        found = next((one for one in kept if one.entity == entity), _common(kept))
        with st.form(f"source-{resource.name}", border=False):
            words, tab, locale, header_row = _fields(resource, entity, found)
            if st.form_submit_button("Save the source", icon=":material/save:"):
                named = f"{entity}={words}" if entity else words
                _save(here, resource, named, tab, locale, header_row)


def _choose_table(resource: Resource, kept: Sequence[SourceSetting]) -> str:
    """Ask for a table; "" for all of them, which is first where they have one source."""
    if len(resource.entities) == 1:
        return ""
    titles = {"": "All its tables"} | {one.name: one.title for one in resource.entities}
    first = 1 if kept and not _common(kept) else 0
    key = f"table-{resource.name}"
    return st.selectbox("Table", list(titles), first, format_func=titles.__getitem__, key=key)


def _common(kept: Sequence[SourceSetting]) -> SourceSetting | None:
    """Return what is set for all tables; None where that is not the same for each."""
    same = len({replace(one, entity="", tab_title=None) for one in kept}) == 1
    return kept[0] if same else None


def _fields(
    resource: Resource, entity: str, found: SourceSetting | None
) -> tuple[str, str, str, int | None]:
    """Ask for source, tab, locale and header row; returns them as they were typed."""
    of = f"{resource.name}-{entity}" if entity else resource.name
    wanted = f"{expected()[0].upper()}{expected()[1:]}"
    words = st.text_input(
        "Source",
        source_words(found) if found else "",
        placeholder=wanted,
        help=wanted,
        key=f"words-{of}",
    )
    with st.container(horizontal=True):
        tab = st.text_input(
            "Tab", (found and found.tab) or "", placeholder="name or gid", key=f"tab-of-{of}"
        )
        locale = st.text_input(
            "Locale",
            (found and found.locale) or "",
            placeholder="such as de_DE",
            key=f"locale-{of}",
        )
        header_row = st.number_input(
            "Header row",
            min_value=1,
            max_value=LAST_HEADER_ROW,
            value=found.header_row if found else None,
            placeholder="found by its labels",
            help="The row with the labels of the columns. If blank, it is found by them.",
            key=f"header-row-{of}",
        )
    return words, tab, locale, header_row


def _save(
    here: Visitor, resource: Resource, words: str, tab: str, locale: str, header_row: int | None
) -> None:
    form.save(
        lambda: administration.set_source(
            here.organization,
            here.person,
            resource,
            words,
            tab=tab.strip() or None,
            locale=locale.strip() or None,
            header_row=header_row,
        )
    )
