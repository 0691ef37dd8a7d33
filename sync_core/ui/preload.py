"""All that the pages import, loaded before the first visitor comes; it takes seconds."""

from sync_core.ui import help_page
from sync_core.ui.audit import audit_page
from sync_core.ui.overview import overview
from sync_core.ui.resources import resource_page, sources_page
from sync_core.ui.settings import settings_page

__all__ = ["audit_page", "help_page", "overview", "resource_page", "settings_page", "sources_page"]
