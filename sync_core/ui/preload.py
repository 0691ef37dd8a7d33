"""All that the pages import, loaded before the first visitor comes; it takes seconds."""

from sync_core.ui import help_page
from sync_core.ui.analytics import analytics_page
from sync_core.ui.audit import audit_page
from sync_core.ui.inbox import inbox_page
from sync_core.ui.notifications import notifications_page
from sync_core.ui.overview import overview
from sync_core.ui.resources import resource_page, sources_page
from sync_core.ui.runs import runs_page
from sync_core.ui.settings import settings_page

__all__ = [
    "analytics_page",
    "audit_page",
    "help_page",
    "inbox_page",
    "notifications_page",
    "overview",
    "resource_page",
    "runs_page",
    "settings_page",
    "sources_page",
]
