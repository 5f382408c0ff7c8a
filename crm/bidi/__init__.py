"""Business-development seats: people inside, partners outside, AI agents."""
