"""The rows of the tables and what happened to them, and who may see which field."""
