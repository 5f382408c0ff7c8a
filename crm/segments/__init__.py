"""Segments: filters over one kind of record, kept by name."""
