-- Imports, and what each made.
SET LOCAL lock_timeout = '5s';
