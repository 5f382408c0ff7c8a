"""Notes: what somebody wrote down about a record."""
