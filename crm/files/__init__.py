"""Files that people put on a record."""
