"""What members ask the copilot, and what it answers."""
