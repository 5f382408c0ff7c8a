-- What the product remembers: turns, summaries, chunks and their vectors.
SET LOCAL lock_timeout = '5s';
