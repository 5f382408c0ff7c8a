"""Password and token hashes, content hashes, and encryption of secrets at rest."""

import asyncio
import hashlib
import hmac
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.errors import Unavailable, Unprocessable

Result = TypeVar("Result")

# Source: OWASP Password Storage Cheat Sheet, argon2id: m=19 MiB, t=2, p=1
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_DECOY = _hasher.hash("nobody has this password")


# So many hash at once, each with 19 MiB; the others wait their turn. Half of the processors, for requests need some too.
HASHING_AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
# Nobody is kept waiting for longer than a form is waited for: more than this is turned away at once.
_turns = threading.BoundedSemaphore(200)


@cache
def _hashing() -> ThreadPoolExecutor:
    """Threads of their own, so that a rush of sign-ins takes none from what else runs in threads."""
    return ThreadPoolExecutor(HASHING_AT_ONCE, thread_name_prefix="argon2", initializer=_step_back)


def _step_back() -> None:
    """Let the event loop go first: on Linux a thread has a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + 5)


# A forked process has none of its parent's threads.
os.register_at_fork(after_in_child=_hashing.cache_clear)


async def _in_hashing_thread(work: Callable[[], Result]) -> Result:
    """Raises: Unavailable when too many wait already."""
    if not _turns.acquire(blocking=False):
        raise Unavailable("Too many people sign in at this moment; try again.")
    try:
        return await asyncio.get_running_loop().run_in_executor(_hashing(), work)
    finally:
        _turns.release()


async def hash_password(password: str) -> str:
    return await _in_hashing_thread(lambda: _hasher.hash(password))


async def verify_password(password: str, hashed: str | None) -> bool:
    """Compare in a thread; an unknown account (`None`) takes as long as a known one."""

    def compare() -> bool:
        try:
            return _hasher.verify(hashed or _DECOY, password) and hashed is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    return await _in_hashing_thread(compare)


def new_token() -> str:
    """256 random bits, safe in a URL and in a header."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of a random token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def same(left: str | bytes, right: str | bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def sign(key: str, message: str) -> str:
    """Keyed hash of a message, hexadecimal."""
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA-256 over length-prefixed parts, so that no two lists of parts share a hash."""
    keyed = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        data = part.encode()
        keyed.update(len(data).to_bytes(8, "big"))
        keyed.update(data)
    return keyed.digest()


def content_hash(*parts: str) -> str:
    """SHA-256 over length-prefixed parts, so that no two lists of parts share a hash."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


def encrypt(key: str, plain: str, context: str) -> bytes:
    """AES-256-GCM under a key derived for `context`; the nonce is the first 12 bytes."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(derive_key(key, context)).encrypt(nonce, plain.encode(), context.encode())


def decrypt(key: str, sealed: bytes, context: str) -> str:
    """Raises: Unprocessable when the key is not the one that sealed it."""
    try:
        return AESGCM(derive_key(key, context)).decrypt(sealed[:12], sealed[12:], context.encode()).decode()
    except InvalidTag as err:
        raise Unprocessable(
            f"The secret of {context} cannot be opened; GETSALE_SECRET_KEY is not the one that sealed it."
        ) from err


def derive_key(key: str, context: str) -> bytes:
    """A key of its own for one purpose, 32 bytes; who has it learns nothing of `key`."""
    return hmac.new(key.encode(), f"getsale {context}".encode(), hashlib.sha256).digest()
