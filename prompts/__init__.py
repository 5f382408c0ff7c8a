"""Prompts as versioned files: front matter and a Jinja body, locked by hash."""
