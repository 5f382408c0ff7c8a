"""How each channel is listened to, while worker/listeners.py holds the account's lease."""
