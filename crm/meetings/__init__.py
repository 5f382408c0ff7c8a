"""Meetings: when, where, with whom, and what came of it."""
