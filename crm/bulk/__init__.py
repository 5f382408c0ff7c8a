"""Edits of many records at once: chosen, tried, run, taken back."""
