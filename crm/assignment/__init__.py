"""Who gets a new conversation or lead: rules, and the seats that can take it."""
