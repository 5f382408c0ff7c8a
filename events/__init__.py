"""The append-only log that serves as outbox, audit, timeline and analytics."""
