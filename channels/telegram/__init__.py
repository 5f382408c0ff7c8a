"""Telegram bots: updates in, messages out, over the Bot API."""
