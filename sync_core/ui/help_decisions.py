"""The part of Help about changes: seen before, held back, undone, found again, and proved."""

import pandas as pd
import streamlit as st

from sync_core.execution import scheduler
from sync_core.foundation.vocabulary import GuardKind, OutcomeKind
from sync_core.organizations.policies import Guards, Threshold
from sync_core.runs.recovery import DECISION_HOURS
from sync_core.ui.audit import chain_status
from sync_core.ui.parts.words import literal
from sync_core.ui.runs import decision, guard_list, outcome_words

PREVIEW = """
**Preview** reads the source as a sync does and stops before it changes anything. The page lists
each record that would be created, updated or removed, and each row that fails or is skipped, with
its reason. To apply it, press **Confirm**. {applies}. To drop it, press **Decline**. A plan waits
{hours} hours, then it expires; it does so at once where a later sync makes it out of date.
"""
GUARDS = """
A **guard** holds a sync back that looks wrong: it waits for approval, and nothing is applied
until then. People who may sync approve what others requested; administrators also what they
requested themselves, unless the settings require four eyes. An approval holds for that one plan.
The first load of an empty table is guarded by failures alone. An undo waits, too, where it would
remove more records than *{gone}* allows. Administrators change the guards of each resource in the
settings; unless they did, a sync waits where:
"""
UNDO = """
**Undo** is beside what a sync changed. It shows first what would become of each record, and
does nothing until somebody confirms. {next_sync} An undo can be undone like a sync.
"""
UNDONE = {
    OutcomeKind.UPDATED: "It gets back what it was before the sync.",
    OutcomeKind.REMOVED: "The sync created it, and nothing changed it since.",
    OutcomeKind.CREATED: "The sync removed it, and it returns.",
    OutcomeKind.SKIPPED: "Something changed it since, and it stays as it is now.",
    OutcomeKind.FAILED: "It cannot go back, and the reason is beside it: what it was is not"
    " kept any more, for example, or another record has its e-mail address now.",
}
SCHEDULES = """
A **schedule** syncs a resource by itself: press **Schedule** on its page and write when, like
*every weekday at 06:30* or *every 2 hours from 7 to 19*. It counts in the time zone of the
organization. A time at which a sync is running, or a plan waits for a decision, is skipped.
Times that were missed while the program was away become one sync, marked late. After {failures}
failures in a row that only a person can fix, the schedule is paused until somebody resumes it.
"""
AFTERWARDS = """
- **The history of a record** opens by a click on its row in the tab *Rows*: every change, the
  newest first, with who synced it, in which run, and each field before and after; and what it was
  on any day. What was changed outside Sync Desk is shown as such once a later sync has met it.
  Where old values were deleted, it says so.
- **Sync the fixed rows** reads the source again and applies only the rows that had failed.
  Nothing is removed by it.
- **Compare with** is on the page of a run, and shows it beside
  another one: counts, columns, reasons, and the rows that failed in only one of them.
- **Verified**, on the audit page: {verified}
"""


def show() -> None:
    """Show how changes are seen before they are made, held back, and undone."""
    st.header("Preview and confirm", anchor=False)
    applies = decision.WHAT_CONFIRM_DOES.format(moved=decision.MOVED)
    st.markdown(PREVIEW.format(applies=applies, hours=DECISION_HOURS))
    st.header("Schedules", anchor=False)
    st.markdown(SCHEDULES.format(failures=scheduler.FAILURES))
    st.header("Guards", anchor=False)
    st.markdown(GUARDS.format(gone=guard_list.LABELS[GuardKind.REMOVALS]))
    guards = pd.DataFrame(map(_guard, GuardKind), columns=["Guard", "A sync waits"])
    st.table(guards, border="horizontal", hide_index=True, width="content", alt="Guards")
    st.header("Undo", anchor=False)
    st.markdown(UNDO.format(next_sync=decision.WHAT_UNDO_MEANS))
    st.table(
        {f"**{_word(kind)}**": meaning for kind, meaning in UNDONE.items()},
        border="horizontal",
        width="content",
    )
    st.header("Afterwards", anchor=False)
    st.markdown(AFTERWARDS.format(verified=chain_status.MEANING))


def _guard(kind: GuardKind) -> tuple[str, str]:
    usual = getattr(Guards(), kind)
    when = str(usual) if isinstance(usual, Threshold) else "always" if usual else "never"
    return literal(guard_list.LABELS[kind]), literal(when)


def _word(kind: OutcomeKind) -> str:
    return outcome_words.OF_AN_UNDO[kind].word
