"""One module per noun; each handler renders one template or redirects."""
