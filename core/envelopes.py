"""Secrets at rest in envelopes: each has a data key of its own, which a key-encryption key wraps that is named by an id.

A key-encryption key is a file of the folder `keys` of the data folder, or follows from GETSALE_SECRET_KEY and
GETSALE_OLD_SECRET_KEYS. What is changed when keys change is the wrapping only; the secret itself is not opened for it.
"""

import base64
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import crypto
from core.errors import NotFound, Unprocessable

# An envelope: mark, id of the key-encryption key, nonce and wrapped data key, nonce and sealed secret.
MARK = b"GSE1"
_ID, _NONCE, _WRAPPED = 8, 12, 32 + 16
_HEAD = len(MARK) + _ID
_KEY = _HEAD + _NONCE + _WRAPPED
CURRENT = "current"


@dataclass(frozen=True)
class Place:
    """The one place where a secret opens. What belongs to people, not to an organization, has none."""

    organization_id: UUID | None
    table: str
    row_id: UUID
    column: str

    @property
    def bound(self) -> bytes:
        return f"{self.organization_id or '-'}|{self.table}|{self.row_id}|{self.column}".encode()

    @property
    def former(self) -> str:
        """What it was bound to before there were envelopes."""
        return f"{self.table.removesuffix('s')} {self.row_id}"

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of {self.row_id}"


@dataclass(frozen=True)
class SealingKey:
    """A key-encryption key and where it comes from."""

    id: bytes
    secret: bytes = field(repr=False)
    source: str

    @property
    def head(self) -> bytes:
        """How every envelope of this key begins."""
        return MARK + self.id


@dataclass(frozen=True)
class Keyring:
    """All key-encryption keys that this installation has; the folder's current one seals, else `secret`'s."""

    secret: str = field(repr=False)
    old_secrets: tuple[str, ...] = field(default=(), repr=False)
    folder: Path | None = None

    @property
    def current(self) -> SealingKey:
        """What seals now; asked anew each time, for a rotation changes it while others work."""
        named = self.folder / CURRENT if self.folder else None
        if named is None or not named.exists():
            return _of_secret(self.secret, "GETSALE_SECRET_KEY")
        return self.get(bytes.fromhex(named.read_text().strip()))

    def get(self, id: bytes) -> SealingKey:
        """Raises: NotFound, naming the key."""
        for key in self._of_environment():
            if key.id == id:
                return key
        path = self.folder / f"{id.hex()}.key" if self.folder else None
        if path is None or not path.exists():
            raise NotFound(
                f"The key {id.hex()} is not here; put {id.hex()}.key back into {self.folder or 'the folder keys'}, or "
                "the GETSALE_SECRET_KEY that it follows from into GETSALE_OLD_SECRET_KEYS."
            )
        return SealingKey(id, _read(path), str(path))

    def all(self) -> list[SealingKey]:
        files = sorted(self.folder.glob("*.key")) if self.folder and self.folder.exists() else []
        return [*self._of_environment(), *(self.get(bytes.fromhex(path.stem)) for path in files)]

    def _of_environment(self) -> list[SealingKey]:
        before = [_of_secret(one, "GETSALE_OLD_SECRET_KEYS") for one in self.old_secrets]
        return [_of_secret(self.secret, "GETSALE_SECRET_KEY"), *before]

    def add(self, secret: bytes | None = None) -> SealingKey:
        """Keep another key, made here unless it is given, and seal with it from now on. Raises: Unprocessable."""
        if self.folder is None:
            raise Unprocessable("There is no folder to keep keys in; set GETSALE_DATA.")
        secret = secret or secrets.token_bytes(32)
        if len(secret) != 32:
            raise Unprocessable("A key has 32 bytes.")
        id = crypto.keyed_hash(secret, "id")[:_ID]
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(self.folder / f"{id.hex()}.key", base64.b64encode(secret).decode())
        self.use(self.get(id))
        return self.get(id)

    def use(self, key: SealingKey) -> None:
        """Seal with this one from now on."""
        assert self.folder is not None
        _write(self.folder / CURRENT, key.id.hex())

    def drop(self, key: SealingKey) -> None:
        """Take a key's file away; whoever calls has seen that it seals nothing."""
        assert self.folder is not None
        (self.folder / f"{key.id.hex()}.key").unlink()


def seal(keys: Keyring, plain: str, place: Place) -> bytes:
    """An envelope that opens at this place only."""
    key, data_key, nonce = keys.current, secrets.token_bytes(32), secrets.token_bytes(_NONCE)
    return _wrap(key, data_key, place) + nonce + AESGCM(data_key).encrypt(nonce, plain.encode(), place.bound)


def unseal(keys: Keyring, sealed: bytes, place: Place) -> str:
    """Raises: NotFound when the key is not here; Unprocessable when the envelope was changed, or is another row's."""
    if key_id_of(sealed) is None:
        return _open_former(keys, sealed, place)
    nonce, content = sealed[_KEY : _KEY + _NONCE], sealed[_KEY + _NONCE :]
    try:
        return AESGCM(_unwrap(keys, sealed, place)).decrypt(nonce, content, place.bound).decode()
    except InvalidTag as err:
        raise _strange(sealed, place) from err


def rewrap(keys: Keyring, sealed: bytes, place: Place) -> bytes:
    """The same sealed secret, its data key wrapped by the current key. Raises: as `unseal`."""
    if key_id_of(sealed) is None:
        return seal(keys, _open_former(keys, sealed, place), place)
    return _wrap(keys.current, _unwrap(keys, sealed, place), place) + sealed[_KEY:]


def key_id_of(sealed: bytes) -> bytes | None:
    """Which key wraps it; None for what was sealed before there were envelopes."""
    return sealed[len(MARK) : _HEAD] if sealed.startswith(MARK) else None


def _open_former(keys: Keyring, sealed: bytes, place: Place) -> str:
    """What was sealed before there were envelopes: with a secret of the environment, for a row of a table."""
    for secret in keys.old_secrets:
        with suppress(Unprocessable):
            return crypto.decrypt(secret, sealed, place.former)
    return crypto.decrypt(keys.secret, sealed, place.former)


def _wrap(key: SealingKey, data_key: bytes, place: Place) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return key.head + nonce + AESGCM(key.secret).encrypt(nonce, data_key, key.head + place.bound)


def _unwrap(keys: Keyring, sealed: bytes, place: Place) -> bytes:
    id = key_id_of(sealed) or b""
    key = keys.get(id)
    try:
        return AESGCM(key.secret).decrypt(
            sealed[_HEAD : _HEAD + _NONCE], sealed[_HEAD + _NONCE : _KEY], key.head + place.bound
        )
    except InvalidTag as err:
        raise _strange(sealed, place) from err


def _strange(sealed: bytes, place: Place) -> Unprocessable:
    id = key_id_of(sealed) or b""
    return Unprocessable(
        f"{place} does not open with the key {id.hex()}: it was changed, or sealed for another row."
    )


@cache
def _of_secret(secret: str, source: str) -> SealingKey:
    key = crypto.derive_key(secret, "key-encryption key")
    return SealingKey(crypto.keyed_hash(key, "id")[:_ID], key, source)


@cache
def _read(path: Path) -> bytes:
    """A file of a key is never written again under its name."""
    return base64.b64decode(path.read_text())


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for this user only."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
