from sync_core.ui import analytics_page

analytics_page.show()
