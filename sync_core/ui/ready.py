"""All that the pages import, loaded before the first visitor comes; it takes seconds."""

from sync_core.ui import (
    audit_page,
    help_page,
    overview,
    resource_page,
    settings_page,
    sources_page,
)

__all__ = ["audit_page", "help_page", "overview", "resource_page", "settings_page", "sources_page"]
