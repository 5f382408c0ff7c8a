"""Imports: what was brought in from elsewhere, resumable after a kill and undoable as a whole."""
