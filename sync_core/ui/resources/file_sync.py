"""A sync of a file that somebody has at hand, instead of the source that is set."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from sync_core.catalogue.resource import Resource
from sync_core.foundation import settings
from sync_core.foundation.errors import SyncError
from sync_core.foundation.vocabulary import Trigger
from sync_core.operations import uploads
from sync_core.operations.uploads import GivenFile
from sync_core.runs import Run
from sync_core.ui.frame import error_box, run_state, visitor
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import notice, opened_plan

TYPES = ("csv", "tsv", "txt", "xlsx", "xlsm")


def offer(here: Visitor, resource: Resource, run: Run | None) -> None:
    """Show the button that asks for a file."""
    if st.button(
        "From a file",
        icon=":material/upload_file:",
        key=f"file-{resource.name}",
        help="Sync a CSV file or a workbook this once, instead of the source.",
        disabled=bool(run and run.active),
    ):
        ask = partial(_ask, here, resource)
        visitor.dialog(here, "Sync from a file", ":material/upload_file:", ask)


def _ask(here: Visitor, resource: Resource) -> None:
    """Ask for the file, and start the sync; what is wrong with it is said at once."""
    several = len(resource.entities) > 1
    st.markdown(f"**{literal(resource.title)}.** {_explained(resource)}")
    found = st.file_uploader(
        "CSV files or a workbook" if several else "CSV file or workbook",
        type=TYPES,
        accept_multiple_files=several,
        key=f"files-{resource.name}",
        max_upload_size=settings.current().upload_limit,
    )
    files = found if isinstance(found, list) else [found] if found else []
    locale = st.text_input(
        "Locale",
        placeholder="such as de_DE",
        help="How numbers and dates are written in it. Blank: as in the source.",
        key=f"locale-of-file-{resource.name}",
    )
    answer = st.container()
    with st.container(horizontal=True):
        syncs = st.button(
            "Sync these files" if several else "Sync this file",
            icon=":material/sync:",
            type="primary",
            key=f"sync-file-{resource.name}",
            disabled=not files,
        )
        previews = st.button(
            "Preview first",
            icon=":material/preview:",
            key=f"preview-file-{resource.name}",
            disabled=not files,
        )
    if syncs or previews:
        given = [GivenFile(file.name, file) for file in files]
        with answer, st.spinner("Looking into it..."):
            _start(here, resource, given, locale.strip(), preview=previews)


def _explained(resource: Resource) -> str:
    once = "This sync alone reads it; the source that is set stays as it is."
    if len(resource.entities) == 1:
        return once
    titles = " and ".join(entity.title for entity in resource.entities)
    return f"A workbook with a tab for each table ({titles}), or a CSV file for each. {once}"


def _start(
    here: Visitor,
    resource: Resource,
    files: Sequence[GivenFile],
    locale: str,
    *,
    preview: bool,
) -> None:
    for file in files:
        file.content.seek(0)  # it may have been looked into before
    try:
        run = uploads.start(
            here.organization,
            resource.name,
            here.person,
            Trigger.PAGE,
            files,
            locale or None,
            preview=preview,
        )
    except SyncError as error:
        error_box.show_sentence(error)
        return
    notice.clear_refusal(resource.name)
    run_state.forget(here.organization.id)
    if preview:
        opened_plan.await_plan(run)
    st.rerun()
