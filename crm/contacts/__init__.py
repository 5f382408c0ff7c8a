"""Contacts: the people the team talks to, and the handles they are reached by."""
