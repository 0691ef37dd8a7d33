from sync_core.ui import resource_page

resource_page.show("patients")
