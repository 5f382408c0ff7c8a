"""Webhooks: endpoints of the organization's other programs, told of what happens here."""
