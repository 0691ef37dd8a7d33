"""A run on a page: its progress, its result, its rows, its log."""
