"""What agents may do by themselves: the matrix, and where an organization is stricter."""
