"""The id_tokens of the issuer, and those that it, or somebody in its place, should never have signed."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from joserfc import jwt

from infra.peers.oidc.state import Granted, Issuer, Mode

LIFETIME_SECONDS = 300


def id_token(issuer: Issuer, granted: Granted) -> str:
    """A token for whoever signed in, as the next fault lets it be."""
    claims, header = _spoiled(issuer, _claims(issuer, granted)), {"alg": "RS256", "kid": "peer-1"}
    if issuer.has(Mode.ALG_NONE):
        return f"{_part({'alg': 'none'})}.{_part(claims)}."
    if issuer.has(Mode.SHARED_SECRET):
        # by hand: no library of today lets itself be used for this
        signed = f"{_part({'alg': 'HS256', 'kid': 'peer-1'})}.{_part(claims)}"
        digest = hmac.new(issuer.key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_plain(digest)}"
    if issuer.has(Mode.FOREIGN_KEY):
        return jwt.encode(header, claims, issuer.foreign_key)
    if issuer.has(Mode.GARBAGE_TOKEN):
        return "not.a.token"
    return jwt.encode(header, claims, issuer.key)


def _claims(issuer: Issuer, granted: Granted) -> dict[str, Any]:
    now = int(time.time())
    person = granted.person
    return {
        "iss": issuer.url,
        "sub": person.subject,
        "aud": granted.client_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "nonce": granted.nonce,
        "email": person.email,
        "email_verified": True,
        "name": person.name,
    }


def _spoiled(issuer: Issuer, claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    wrong: dict[Mode, dict[str, Any]] = {
        Mode.WRONG_NONCE: {"nonce": "of another browser"},
        Mode.NO_NONCE: {"nonce": None},
        Mode.WRONG_AUDIENCE: {"aud": "another client"},
        Mode.TWO_AUDIENCES: {"aud": [claims["aud"], "another client"], "azp": "another client"},
        Mode.WRONG_ISSUER: {"iss": "https://evil.example"},
        Mode.EXPIRED: {"iat": now - 7200, "exp": now - 3600},
        Mode.NOT_YET: {"nbf": now + 3600, "iat": now + 3600, "exp": now + 7200},
        Mode.NO_SUBJECT: {"sub": None},
        Mode.UNVERIFIED: {"email_verified": False},
        Mode.NO_EMAIL: {"email": None},
    }
    for mode, changed in wrong.items():
        if issuer.has(mode):
            return {name: value for name, value in (claims | changed).items() if value is not None}
    return claims


def _part(content: dict[str, Any]) -> str:
    return _plain(json.dumps(content).encode())


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
