"""Pages: the inbox, sign-in and the living design page, rendered on the server and updated live."""
