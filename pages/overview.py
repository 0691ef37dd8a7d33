from sync_core.ui import overview

overview.show()
