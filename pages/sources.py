from sync_core.ui.resources import sources_page

sources_page.show()
