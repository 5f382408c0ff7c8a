"""Reads table files in a process of their own, bounded in memory and time, whatever the file does to it.

Run as a module it is that process: it prints what it found as lines of JSON.
"""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from core import jsons
from core.tables import headers, limits, separated, sheets
from core.tables.models import Fault, Layout, Row, Survey, Unreadable, Wish

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_NOTHING_WISHED = Wish()


async def survey(path: Path, wish: Wish = _NOTHING_WISHED) -> Survey:
    """Read a file once to its end and say what it is.

    Raises: Unreadable, also for what is wrong on its last line.
    """
    async with _process("survey", path, asdict(wish), chunk=0) as answers:
        said = await anext(answers)
    return Survey(
        Layout.of(said["layout"]),
        said["total"],
        [_row(row) for row in said["sample"]],
        tuple(said["repeated"]),
    )


async def rows(path: Path, layout: Layout, *, chunk: int, skip: int = 0) -> AsyncIterator[list[Row]]:
    """The rows below the header, `chunk` at a time, after the first `skip`. Raises: Unreadable."""
    async with _process("rows", path, {"layout": layout.as_json(), "skip": skip}, chunk=chunk) as answers:
        async for said in answers:
            yield [_row(row) for row in said["rows"]]


def _row(said: list[Any]) -> Row:
    return said[0], said[1]


@asynccontextmanager
async def _process(
    verb: str, path: Path, wish: dict[str, Any], *, chunk: int
) -> AsyncIterator[AsyncIterator[Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "core.tables.reader", verb, str(path), jsons.dumps(wish), str(chunk),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
        limit=512 * 1024 * 1024,
    )  # fmt: skip
    try:
        yield _answers(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        said = jsons.loads(line)
        if "fault" in said:
            raise Unreadable(Fault(said["fault"]), line=said["line"], detail=said["detail"])
        yield said
    code = await process.wait()
    if code == -signal.SIGXCPU:
        raise Unreadable(Fault.TOO_SLOW)
    if code != 0:  # killed for its size, or the parser itself broke
        raise Unreadable(
            Fault.TOO_LARGE_INSIDE if code in (-signal.SIGABRT, -signal.SIGKILL) else Fault.BROKEN
        )


def survey_of(path: Path, wish: Wish) -> Survey:
    """What `survey` says, in this process. Raises: Unreadable."""
    found = _layout(path, wish)
    every = _every_row(path, found)
    sample = list(islice(every, limits.SAMPLE_ROWS))
    if not sample:
        raise Unreadable(Fault.EMPTY)
    header = headers.header_of(sample, has_header=wish.has_header)
    start = header if header is not None else 0
    cells = next((cells for number, cells in sample if number == header), [])
    below = [row for row in sample if row[0] > start]
    width = max(len(cells), *(len(row[1]) for row in below), 0) if below else len(cells)
    if width > limits.COLUMNS:
        raise Unreadable(Fault.TOO_MANY_COLUMNS, detail=f"{limits.COLUMNS}")
    names, repeated = headers.named(cells, width)
    total = len(below) + sum(1 for _ in every)
    if not total:
        raise Unreadable(Fault.NO_ROWS)
    return Survey(replace(found, header=header, columns=names), total, below, repeated)


def _layout(path: Path, wish: Wish) -> Layout:
    size = path.stat().st_size
    if size > limits.FILE_BYTES:
        raise Unreadable(Fault.TOO_LARGE, detail=f"{limits.FILE_BYTES // 1024**2} MB")
    with path.open("rb") as stream:
        head = stream.read(8)
    if not head:
        raise Unreadable(Fault.EMPTY)
    if head.startswith(b"PK"):
        return Layout("xlsx", "", "", None)
    if head.startswith(_OLD_EXCEL):
        raise Unreadable(Fault.OLD_EXCEL)
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"\x1f\x8b", b"7z\xbc\xaf")):
        raise Unreadable(Fault.NOT_A_TABLE)
    return separated.layout_of(path, wish)


def _every_row(path: Path, layout: Layout) -> Iterator[Row]:
    """All rows with something in them. Raises: Unreadable when they do not end."""
    source = sheets.rows(path) if layout.kind == "xlsx" else separated.rows(path, layout)
    for count, row in enumerate(source):
        if count > limits.ROWS:
            raise Unreadable(Fault.TOO_MANY_ROWS, detail=f"{limits.ROWS:,}")
        yield row


def _rows_below(path: Path, layout: Layout) -> Iterator[Row]:
    return (row for row in _every_row(path, layout) if row[0] > (layout.header or 0))


def main() -> None:
    """Answer one question about a file; exit 0 with an answer, whatever the file is."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.MEMORY_BYTES, limits.MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.SECONDS, limits.SECONDS))
    verb, path, wish, chunk = sys.argv[1], Path(sys.argv[2]), jsons.loads(sys.argv[3]), int(sys.argv[4])
    try:
        if verb == "survey":
            _say(asdict(survey_of(path, Wish(**wish))))
            return
        found = islice(_rows_below(path, Layout.of(wish["layout"])), wish["skip"], None)
        while block := list(islice(found, chunk)):
            _say({"rows": block})
    except Unreadable as err:
        _say({"fault": err.fault.value, "line": err.line, "detail": err.detail})
    except MemoryError:
        _say({"fault": Fault.TOO_LARGE_INSIDE.value, "line": None, "detail": ""})


def _say(answer: object) -> None:
    sys.stdout.buffer.write(jsons.dump_bytes(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
