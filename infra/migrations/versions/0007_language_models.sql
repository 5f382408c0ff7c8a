-- The language models of an organization, and what each call used.
SET LOCAL lock_timeout = '5s';
