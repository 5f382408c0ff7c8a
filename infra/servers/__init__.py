"""The real servers that the product can start by itself, one module each."""
