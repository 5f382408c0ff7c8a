"""Who must decide what, by when."""
