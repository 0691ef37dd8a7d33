from sync_core.ui.analytics import analytics_page

analytics_page.show()
