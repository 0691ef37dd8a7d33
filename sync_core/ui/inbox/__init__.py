"""The inbox: what happened to my syncs, and what waits for me."""
