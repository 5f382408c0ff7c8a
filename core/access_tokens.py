"""Signed access tokens: who carries one is known without a secret being looked up, for a quarter of an hour.

A token alone lets nobody in: whoever reads one also asks whether its session is still in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt

from core import clock, crypto
from core.errors import Unauthorized
from core.ids import uuid7
from core.settings import Settings

LIFETIME = timedelta(minutes=15)
ISSUER, AUDIENCE, TYPE = "getsale", "getsale-api", "at+jwt"
# One algorithm, ours to choose and never the token's. Source: RFC 8725, sections 3.1 and 3.2.
_ALGORITHM = "HS256"
_CLAIMS = ("iss", "aud", "sub", "org", "sid", "iat", "exp", "jti")


@dataclass(frozen=True)
class AccessToken:
    """What a token says of who carries it."""

    user_id: UUID
    organization_id: UUID
    session_id: UUID


def mint(settings: Settings, token: AccessToken) -> str:
    """A token that is good for `LIFETIME`, signed with the key of today."""
    now = clock.now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(token.user_id),
        "org": str(token.organization_id),
        "sid": str(token.session_id),
        "iat": now,
        "exp": now + LIFETIME,
        "jti": str(uuid7()),
    }
    key = _keys(settings)[0]
    return jwt.encode(claims, key.secret, _ALGORITHM, headers={"kid": key.id, "typ": TYPE})


def read(settings: Settings, text: str) -> AccessToken:
    """What a token says, if one of our keys signed it for us and its time is not over. Raises: Unauthorized."""
    try:
        header = jwt.get_unverified_header(text)
        key = next(key for key in _keys(settings) if key.id == header.get("kid"))
        if header.get("typ") != TYPE:
            raise jwt.InvalidTokenError("another kind of token")
        claims = jwt.decode(
            text,
            key.secret,
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": list(_CLAIMS), "verify_exp": False},
        )
        # by our own clock, which a test can freeze
        if claims["exp"] <= clock.now().timestamp():
            raise jwt.ExpiredSignatureError("over")
        return AccessToken(UUID(claims["sub"]), UUID(claims["org"]), UUID(claims["sid"]))
    except (jwt.PyJWTError, StopIteration, ValueError, TypeError) as err:
        raise Unauthorized("This access token is not one of ours or has expired; refresh it.") from err


@dataclass(frozen=True)
class _Key:
    """A signing key; its id says nothing about it and tells it from others."""

    id: str
    secret: bytes


def _keys(settings: Settings) -> Sequence[_Key]:
    """The key that signs, then those that signed before: what they signed is good until its time is over."""
    own = settings.secret_key.get_secret_value()
    before = [key.strip() for key in settings.old_secret_keys.get_secret_value().split(",")]
    return [_key(secret) for secret in (own, *filter(None, before))]


def _key(secret: str) -> _Key:
    derived = crypto.sign(secret, "access tokens")
    return _Key(crypto.content_hash("key id", derived)[:16], bytes.fromhex(derived))
