"""The trash: what was deleted, of every kind, and how it comes back."""
