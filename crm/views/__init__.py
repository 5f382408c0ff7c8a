"""Views: how a list is looked at, kept by name."""
