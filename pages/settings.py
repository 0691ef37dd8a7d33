from sync_core.ui import settings_page

settings_page.show()
