from sync_core.ui.resources import resource_page

resource_page.show("patients")
