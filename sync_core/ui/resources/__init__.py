"""The page of a resource, and the page of their sources."""
