"""What is sealed in envelopes, by which keys, and wrapping it anew."""
