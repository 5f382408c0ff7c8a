"""Timelines: everything that happened around a record, newest first."""
