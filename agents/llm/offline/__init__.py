"""The model without a model: intents by stems and examples, slots by patterns, replies from templates."""
