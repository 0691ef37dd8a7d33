from sync_core.ui.overview import overview

overview.show()
