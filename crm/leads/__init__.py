"""Leads: people in a pipeline, before anything is sold to them."""
