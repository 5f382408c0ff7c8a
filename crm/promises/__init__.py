"""Promises: who said in which message that they would do something by when, and whether they did."""
