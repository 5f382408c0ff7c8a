"""What the offline model reads out of a conversation that came to rest: facts, promises, and which were kept."""
