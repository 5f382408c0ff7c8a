-- API keys and what the public API keeps.
SET LOCAL lock_timeout = '5s';
