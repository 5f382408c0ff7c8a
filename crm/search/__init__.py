"""One box over everything: words of records, kept beside them and ranked."""
