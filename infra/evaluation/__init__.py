"""Evaluations on this machine: where their rows are kept, where their cases are played, and by which processes."""
