"""Evaluation: suites of cases, scorers, and the arena in which every case has an organization of its own."""
