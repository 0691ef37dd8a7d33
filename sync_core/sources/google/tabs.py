"""Which tab of a Google spreadsheet is read: by its gid, or by the rule of all spreadsheets.

A hidden tab is read where it is named. What has no cells, such as a chart, is never read.
"""

from collections.abc import Sequence

from sync_core.catalogue.resource import Entity
from sync_core.foundation.errors import SyncError
from sync_core.sources.google.answers import Spreadsheet, Tab
from sync_core.sources.kind import SourceSetting
from sync_core.sources.tab_choice import Tabs, quoted


def _of_cells(spreadsheet: Spreadsheet) -> tuple[Tabs, list[Tab]]:
    """Return the tabs that hold cells."""
    tabs = [tab for tab in spreadsheet.tabs if tab.has_cells]
    titles, hidden = [tab.title for tab in tabs], [tab.hidden for tab in tabs]
    return Tabs(spreadsheet.title, titles, hidden), tabs


def choose(spreadsheet: Spreadsheet, setting: SourceSetting, entity: Entity) -> Tab:
    """Return the tab that is wanted, by gid or title, or else that of the entity.

    Raises SyncError (tab_not_found, ambiguous_tab, tab_deleted, tab_without_cells).
    """
    choice, tabs = _of_cells(spreadsheet)
    wanted = setting.tab
    named = [tab for tab in spreadsheet.tabs if wanted in {str(tab.gid), tab.title}]
    by_gid = [tab for tab in named if str(tab.gid) == wanted]
    if wanted and named and not any(tab.has_cells for tab in by_gid or named):
        raise SyncError("tab_without_cells", spreadsheet=spreadsheet.title, tab=named[0].title)
    if by_gid:
        return by_gid[0]
    if wanted and wanted.isdecimal() and not named:
        raise _deleted(choice, setting, entity)
    return tabs[choice.choose(wanted, entity)]


def confirm(
    spreadsheet: Spreadsheet, tab: Tab, headers: Sequence[str], wanted: str | None, entity: Entity
) -> None:
    """Refuse a tab that only stood alone, if its header is another table's. Raises SyncError."""
    choice, tabs = _of_cells(spreadsheet)
    choice.confirm(tabs.index(tab), headers, wanted, entity)


def _deleted(tabs: Tabs, setting: SourceSetting, entity: Entity) -> SyncError:
    """Return the error of a tab that was deleted, which names the one that may stand for it."""
    title, gid = setting.tab_title, setting.tab
    named = f"The tab '{title}'" if title else f"The tab with the number {gid}"
    try:
        alike = tabs.titles[tabs.choose(title or entity.title, entity)]
        instead = f"another tab is called '{alike}'"
    except SyncError:
        instead = f"it has {quoted(tabs.titles)}"
    return SyncError("tab_deleted", spreadsheet=tabs.spreadsheet, tab=named, instead=instead)
