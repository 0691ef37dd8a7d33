from sync_core.ui import sources_page

sources_page.show()
