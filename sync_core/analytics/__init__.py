"""What is asked of runs in figures: one question, one SELECT; a few rows, never runs one by one."""
