"""What everything stands on: settings, errors, the database, its tables, Redis."""
