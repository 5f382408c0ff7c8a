"""Conversations, their messages and attachments: the inbox."""
