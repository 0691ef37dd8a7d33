"""The overview: all resources at a glance."""
