"""Notifications: what a member is told, once, and whether it was read."""
