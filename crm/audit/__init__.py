"""The audit: who did what, when and from where, sealed into one chain per organization."""
