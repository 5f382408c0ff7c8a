"""A local server that speaks the OpenAI protocol, counts its own tokens, and fails on demand."""
