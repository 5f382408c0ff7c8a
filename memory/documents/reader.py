"""Reads files in a process of their own, which may be slow, huge or die without harm to anybody else.

Run as a module it is that process: the file comes on stdin, the answer goes to stdout as JSON.
"""

import asyncio
import json
import logging
import os
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from typing import Any

from memory.documents import limits
from memory.documents.chunks import chunks_of
from memory.documents.models import Chunk, Refusal, Refused
from memory.documents.parse import MIMES, kind_of, parse


@dataclass(frozen=True)
class Read:
    """What a file became."""

    mime: str
    languages: tuple[str, ...]
    pages: int | None
    lines: int
    chunks: list[Chunk]


async def read(name: str, content: bytes, *, seconds: float = limits.SECONDS) -> Read:
    """The chunks of a file. Raises: Refused, also when it takes too long or too much memory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "memory.documents.reader", name,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
    )  # fmt: skip
    try:
        answer, _ = await asyncio.wait_for(process.communicate(content), seconds)
    except TimeoutError as err:
        raise Refused(Refusal.TOO_SLOW) from err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == -signal.SIGXCPU:
        raise Refused(Refusal.TOO_SLOW)
    if process.returncode != 0:  # the parser itself broke
        raise Refused(Refusal.BROKEN)
    return _answer(json.loads(answer))


def _answer(said: dict[str, Any]) -> Read:
    if "refused" in said:
        raise Refused(Refusal(said["refused"]))
    chunks = [Chunk(**chunk | {"heading": tuple(chunk["heading"])}) for chunk in said.pop("chunks")]
    return Read(**said | {"languages": tuple(said["languages"])}, chunks=chunks)


def main() -> None:
    """Read the file on stdin; exit 0 with an answer, whatever the file is."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.MEMORY_BYTES, limits.MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(limits.SECONDS), int(limits.SECONDS)))
    logging.disable()  # pypdf tells of every oddity of a file
    name, content = sys.argv[1], sys.stdin.buffer.read()
    answer: dict[str, object]
    try:
        parsed = parse(name, content)
    except Refused as err:
        answer = {"refused": err.reason.value}
    except MemoryError:
        answer = {"refused": Refusal.TOO_LARGE_INSIDE.value}
    else:
        answer = {
            "mime": MIMES[kind_of(name, content)],
            "languages": parsed.languages,
            "pages": parsed.pages,
            "lines": len(parsed.lines),
            "chunks": [asdict(chunk) for chunk in chunks_of(parsed.lines)],
        }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
