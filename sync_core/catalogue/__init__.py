"""What can be kept in step: resources, their entities and fields, and what a source must give."""
