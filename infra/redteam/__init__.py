"""Runs the red team over servers of its own, on several processes."""
