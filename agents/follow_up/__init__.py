"""The follow-up agent: it looks at promises that are due and deals that stand still, and suggests what to do next."""
