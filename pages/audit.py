from sync_core.ui.audit import audit_page

audit_page.show()
