"""Scorers: each looks at one case and what was left of it, and says how good one thing about it was."""
