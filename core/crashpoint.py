"""Named points where a test may kill the process: before and after every commit and outbound call."""

import os
import signal
from pathlib import Path

# Names a folder of a test's own. A file `arm/<name>` in it kills the next process that reaches the point, once;
# every point that is reached leaves `seen/<name>`.
_FOLDER = "GETSALE_CRASHPOINTS"


def reach(name: str) -> None:
    """Die here, as by SIGKILL, if a test has armed this point; otherwise do nothing."""
    if not (named := os.environ.get(_FOLDER)):
        return
    folder = Path(named)
    folder.joinpath("seen", name).touch()
    try:
        # removed before the kill, so that the restarted process goes through
        folder.joinpath("arm", name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
