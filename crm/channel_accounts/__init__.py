"""Connected channel accounts: a Telegram bot, a mailbox, a web-chat widget."""
