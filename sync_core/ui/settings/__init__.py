"""The settings page: people, rules and tokens."""
