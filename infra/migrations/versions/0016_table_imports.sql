-- Imports of tables, row by row.
SET LOCAL lock_timeout = '5s';
