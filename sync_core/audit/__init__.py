"""The trail of what happened: its hash chain, its exports, what may be dropped of it and when."""
