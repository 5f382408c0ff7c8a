"""Facts: bitemporal statements about contacts, companies, deals and users, each with its source and its trust."""
