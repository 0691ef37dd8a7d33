"""All that the pages import, loaded before the first visitor comes; it takes seconds."""

from sync_core.ui import help_page, overview, resource_page, settings_page, sources_page

__all__ = ["help_page", "overview", "resource_page", "settings_page", "sources_page"]
