"""Named points where a test may kill the process: before and after every commit and outbound call."""

import os
import signal
from pathlib import Path

_armed = os.environ.get("GETSALE_CRASHPOINT", "")
_log = os.environ.get("GETSALE_CRASHPOINT_LOG", "")


def reach(name: str) -> None:
    """Kill this process here if `name` is armed and its marker file is still to be taken.

    `GETSALE_CRASHPOINT=name=/path/marker` kills once: the marker is removed first, so a restarted
    process goes through. `GETSALE_CRASHPOINT_LOG` collects every name that is reached.
    """
    if _log:
        with Path(_log).open("a") as names:
            names.write(f"{name}\n")
    if not _armed:
        return
    point, _, marker = _armed.partition("=")
    if point != name:
        return
    try:
        Path(marker).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
