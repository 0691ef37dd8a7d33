"""The policies of an organization for its resources, for its administrators."""

from functools import partial

import streamlit as st

from sync_core.catalogue import resources
from sync_core.catalogue.resource import Resource
from sync_core.foundation import db
from sync_core.foundation.counting import MINUTE
from sync_core.foundation.vocabulary import Removal
from sync_core.operations import administration
from sync_core.organizations import policies
from sync_core.organizations.policies import Policy
from sync_core.runs import lease
from sync_core.ui.frame import asking, form
from sync_core.ui.frame.asking import Question
from sync_core.ui.frame.navigation import page_file
from sync_core.ui.frame.visitor import Visitor
from sync_core.ui.parts import source_line
from sync_core.ui.parts.words import listed
from sync_core.ui.settings import guards_form

REMOVALS: dict[Removal, str] = {
    Removal.KEEP: "Stay in the table",
    Removal.DEACTIVATE: "Are marked as removed",
    Removal.DELETE: "Are deleted",
}


def show(here: Visitor) -> None:
    """Show a form for each resource."""
    with db.within(here.organization.id) as connection:
        decided = policies.of(connection, here.organization.id)
    st.caption(
        "How old each resource may be, what happens to rows that leave its source, how long a"
        " sync may take, and what is suspicious. A running sync keeps the time limit with which"
        " it started, unless the new one is shorter."
    )
    with st.container(key="card-sources"):
        st.page_link(page_file("sources"), label="Set and test sources", icon=":material/cable:")
    _four_eyes(here)
    for resource in resources.CATALOGUE.values():
        _rule(here, resource, decided[resource.name])


def _four_eyes(here: Visitor) -> None:
    required = st.toggle(
        "Four eyes: nobody approves a suspicious sync that they requested",
        value=here.organization.four_eyes,
        key="four-eyes",
        help="Otherwise administrators may approve their own.",
    )
    if required != here.organization.four_eyes:
        form.save(
            lambda: administration.set_four_eyes(here.organization, here.person, required=required)
        )


def _rule(here: Visitor, resource: Resource, policy: Policy) -> None:
    usual = lease.usual_limits().of(resource.name) / MINUTE
    fields = st.form(f"policy-{resource.name}")
    fields.markdown(f"{resource.icon} **{resource.title}**")
    fields.markdown(f":small[{source_line.words(here, resource)}]")
    with fields.container(horizontal=True, vertical_alignment="bottom"):
        hours = st.number_input(
            "Max age in hours",
            min_value=1,
            max_value=8_760,
            value=policy.fresh_hours,
            key=f"hours-{resource.name}",
        )
        removal = st.selectbox(
            "Rows that left the source",
            [None, *REMOVALS],
            index=[None, *REMOVALS].index(policy.removal),
            format_func=partial(_removal, resource),
            key=f"removal-{resource.name}",
        )
        minutes = st.number_input(
            "Time limit in minutes",
            min_value=1,
            max_value=administration.LONGEST,
            value=policy.limit_minutes,
            placeholder=f"{usual:,.0f}, as usual",
            help="Blank: the default of the program.",
            key=f"limit-{resource.name}",
        )
        saved = st.form_submit_button("Save", icon=":material/save:")
    guards = guards_form.show(fields, resource.name, policy.guards)
    if saved:
        limit = int(minutes) if minutes else None
        _save(here, resource, policy, Policy(int(hours), removal, limit, guards))


def _removal(resource: Resource, removal: Removal | None) -> str:
    """Return what is chosen, in words; by default what each table does."""
    if removal:
        return REMOVALS[removal]
    tables = {
        entity.title.lower(): REMOVALS[entity.removal].lower() for entity in resource.entities
    }
    if len(set(tables.values())) == 1:
        (words,) = set(tables.values())
        return f"Default: {words}"
    return f"Default: {listed([f'{title} {words}' for title, words in tables.items()])}"


def _save(here: Visitor, resource: Resource, policy: Policy, wanted: Policy) -> None:
    """Save the rules of a resource; one that deletes records is asked about first."""
    put = partial(administration.set_policy, here.organization, here.person, resource)
    if wanted.removal != Removal.DELETE or policy.removal == Removal.DELETE:
        form.save(partial(put, wanted))
        return
    titles = listed([entity.title.lower() for entity in resource.entities])
    question = Question(
        title=f"Delete {titles} that left the source?",
        means=f"From the next sync on, {titles} that are not in the source any more are **deleted"
        " from the table**. What they held stays in the history, so that a sync can be undone,"
        " until old values are deleted. *Are marked as removed* hides them and keeps them.",
        verb="Delete them from now on",
        done=f"From now on, {titles} that left the source are deleted.",
        icon=":material/delete:",
    )
    asking.ask(here, question, partial(put, wanted), partial(put, policy))
