"""Words that people put on records to find them again."""
