"""Tasks: what somebody has to do, for which contact or deal, and by when."""
