"""The prospect's mailbox of the demo: a page to write by mail and to see what comes back."""
