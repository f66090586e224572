"""Lint: a report that people wrote, read against the records. No files, no store."""
