"""Takes the browser libraries and the typeface over from their npm packages, pinned and checked.

`python -m web.vendor` rewrites `web/static/vendor`; `--check` only compares what is there with the lock.
Packages come through the npm client, from whatever registry it is set up for.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).parent / "static" / "vendor"
LOCK = VENDOR / "lock.json"
SUBSETS = ("latin", "latin-ext", "cyrillic", "cyrillic-ext")


@dataclass(frozen=True)
class Package:
    """An npm package at one version, and which of its files are kept under which names."""

    name: str
    version: str
    integrity: str
    files: dict[str, str]


PACKAGES = (
    Package(
        "htmx.org",
        "2.0.11",
        "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
        {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"},
    ),
    Package(
        "htmx-ext-sse",
        "2.2.4",
        "sha512-LJmxVhykyflBWgh5PvbRidcyuqMHlgfajmmzumvKctv9puvsufeH6OaejSMZTNTnEI8O2wXXn4ZZtBdpEMqmEQ==",
        {"dist/sse.min.js": "htmx-ext-sse.min.js", "LICENSE": "htmx-ext-sse.LICENSE"},
    ),
    Package(
        "idiomorph",
        "0.7.4",
        "sha512-uCdSpLo3uMfqOmrwXTpR1k/sq4sSmKC7l4o/LdJOEU+MMMq+wkevRqOQYn3lP7vfz9Mv+USBEqPvi0XhdL9ENw==",
        {"dist/idiomorph-ext.min.js": "idiomorph-ext.min.js", "LICENSE": "idiomorph.LICENSE"},
    ),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        {f"files/inter-{subset}-wght-normal.woff2": f"inter-{subset}.woff2" for subset in SUBSETS}
        | {"LICENSE": "inter.OFL.txt"},
    ),
)


def vendor() -> None:
    """Fetch every package, check it against its pinned hash, write the kept files and their hashes."""
    VENDOR.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        for name, content in _fetch(package).items():
            (VENDOR / name).write_bytes(content)
    LOCK.write_text(json.dumps(_hashes(), indent=2) + "\n")


def differences() -> list[str]:
    """Names of vendored files that are missing or not what the lock says."""
    locked: dict[str, str] = json.loads(LOCK.read_text())
    found = _hashes()
    return sorted(name for name in locked.keys() | found.keys() if locked.get(name) != found.get(name))


def _fetch(package: Package) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", f"{package.name}@{package.version}", "--silent", "--pack-destination", folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        _verify(package, archive.read_bytes())
        with tarfile.open(archive) as files:
            return {kept: _read(files, f"package/{path}") for path, kept in package.files.items()}


def _verify(package: Package, content: bytes) -> None:
    digest = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if digest != package.integrity:
        raise SystemExit(
            f"{package.name}@{package.version} is {digest}, not {package.integrity}; not taken over."
        )


def _read(files: tarfile.TarFile, path: str) -> bytes:
    member = files.extractfile(path)
    if member is None:
        raise SystemExit(f"{path} is not a file in its package.")
    return member.read()


def _hashes() -> dict[str, str]:
    kept = {name for package in PACKAGES for name in package.files.values()}
    return {
        path.name: "sha256-" + hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(VENDOR.iterdir())
        if path.name in kept
    }


if __name__ == "__main__":
    if "--check" not in sys.argv:
        vendor()
    if changed := differences():
        raise SystemExit(f"Not as locked: {', '.join(changed)}; run `python -m web.vendor`.")
