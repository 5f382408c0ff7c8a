"""The inbox agent: reads what a contact wrote, drafts the answer, or gives the conversation to a person."""
