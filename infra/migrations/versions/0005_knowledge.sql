-- The organization's own documents and their versions.
SET LOCAL lock_timeout = '5s';
