"""Privacy: what is known about a person as a file, and the erasure that reaches every place where it stands."""
