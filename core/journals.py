"""Files that only grow: a line a record, outside the database."""

import os
from pathlib import Path


def append_line(path: Path, line: str) -> None:
    """Add a line; it is on the disk when this returns. The folder is made, for the product's own user alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # one write in append mode: lines of several processes do not mix
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
        os.fsync(file)
    finally:
        os.close(file)
