"""Merges: two contacts or companies become one, row by row on record, so that it can be taken back."""
