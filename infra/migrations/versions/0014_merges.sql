-- Scored matches, merges that can be undone.
SET LOCAL lock_timeout = '5s';
