-- What the search box looks through.
SET LOCAL lock_timeout = '5s';
