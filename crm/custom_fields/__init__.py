"""Fields that an organization adds to its contacts, companies and deals."""
