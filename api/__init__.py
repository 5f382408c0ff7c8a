"""HTTP: thin JSON routers, inbound webhooks, and the one composition root of the web process."""
