from sync_core.ui import help_page

help_page.show()
