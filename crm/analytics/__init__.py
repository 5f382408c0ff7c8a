"""Figures over records and seats: how many there are, what they add up to, and how well they do."""
