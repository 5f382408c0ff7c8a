"""The demo organization, made by calling the same actions that people and agents call."""
