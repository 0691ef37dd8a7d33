from sync_core.ui import audit_page

audit_page.show()
