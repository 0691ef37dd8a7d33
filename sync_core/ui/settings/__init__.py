"""The settings page: people and rules."""
