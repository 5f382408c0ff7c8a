"""Telling whether two records are one person or one company: pure functions over plain values, no rows."""
