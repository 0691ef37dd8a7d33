from sync_core.ui.settings import settings_page

settings_page.show()
