from sync_core.ui.inbox import inbox_page

inbox_page.show()
