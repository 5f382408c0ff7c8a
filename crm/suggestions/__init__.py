"""Suggestions: next steps that agents propose and that a person accepts or dismisses."""
