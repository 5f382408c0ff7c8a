"""The language models that an organization has set up for its agents."""
