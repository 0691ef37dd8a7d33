"""The made-up organization: its files, its history, a Cliniko of its own."""
