-- Scopes of API keys, saved answers, outgoing webhooks.
SET LOCAL lock_timeout = '5s';
