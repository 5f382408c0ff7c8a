"""The memory writer: it reads a conversation that came to rest, and keeps what is worth knowing later."""
