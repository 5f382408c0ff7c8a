"""A local Telegram Bot API: the HTTP protocol of the real one, a chat page for the prospect, faults on demand."""
