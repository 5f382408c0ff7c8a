"""Keys with which a person's programs call the API."""
