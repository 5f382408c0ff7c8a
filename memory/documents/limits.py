"""How much of a file is read before it is refused: a document is for people, so these are far above any."""

FILE_BYTES = 20 * 1024 * 1024
UNPACKED_BYTES = 120 * 1024 * 1024
PAGES = 500
CHARACTERS = 2_000_000
SECONDS = 60.0
MEMORY_BYTES = 1536 * 1024 * 1024
