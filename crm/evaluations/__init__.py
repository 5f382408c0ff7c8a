"""Evaluations: how well agents did on cases whose right outcome is known."""
