"""Texts as vectors: the local model, a remote one behind the same protocol, and a fake for unit tests."""
