"""Triggers: event, conditions, actions, stored as data."""
