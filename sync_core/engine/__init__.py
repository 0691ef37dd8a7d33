"""One run from the source to the table: read, validate, plan, apply."""
