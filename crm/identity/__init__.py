"""Organizations, users, members and their sessions."""
