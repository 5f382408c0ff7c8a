-- Saved views, segments, bulk edits.
SET LOCAL lock_timeout = '5s';
