"""Tables of contacts, companies and deals: mapped, checked, taken over chunk by chunk, and taken back."""
