from sync_core.ui.notifications import notifications_page

notifications_page.show()
