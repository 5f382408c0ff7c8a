"""How much of a table is read before it is refused."""

FILE_BYTES = 512 * 1024 * 1024
UNPACKED_BYTES = 1024 * 1024 * 1024
# An honest sheet shrinks to a tenth or so; beyond this it was made to burst.
PACKING = 250
ROWS = 2_000_000
COLUMNS = 500
LINE_CHARACTERS = 1024 * 1024
SAMPLE_ROWS = 200
SECONDS = 300
MEMORY_BYTES = 2048 * 1024 * 1024
