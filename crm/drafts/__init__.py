"""Proposed outbound messages with the evidence they rest on."""
