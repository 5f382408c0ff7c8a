"""What the issuer keeps: its people, the codes it has given, and the faults it was told to have."""

import secrets
from collections import deque
from enum import StrEnum
from typing import Any

from joserfc.jwk import RSAKey
from pydantic import BaseModel, ConfigDict

CLIENT_SECRET = "secret"


class Mode(StrEnum):
    """What goes wrong: forged tokens first, then what a careless issuer or a broken one does."""

    ALG_NONE = "alg_none"
    SHARED_SECRET = "hs256"  # signed with HS256, the public key as the secret
    FOREIGN_KEY = "foreign_key"  # the right name of a key, another key
    WRONG_NONCE = "wrong_nonce"
    NO_NONCE = "no_nonce"
    WRONG_AUDIENCE = "wrong_audience"
    TWO_AUDIENCES = "two_audiences"  # ours beside another, issued to that other
    WRONG_ISSUER = "wrong_issuer"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    NO_SUBJECT = "no_subject"
    NO_TOKEN = "no_token"
    GARBAGE_TOKEN = "garbage_token"
    UNVERIFIED = "unverified"
    NO_EMAIL = "no_email"
    OTHER_SENDER = "other_sender"  # the answer names another issuer
    DENIED = "denied"
    MISNAMED = "misnamed"  # the metadata is another issuer's
    ERROR = "error"
    GARBAGE = "garbage"
    HUGE = "huge"


class Person(BaseModel):
    """Somebody who can sign in at the issuer."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    email: str
    name: str = ""


class Granted(BaseModel):
    """A code, and what it was asked for."""

    client_id: str
    redirect_uri: str
    nonce: str
    challenge: str
    person: Person


class Issuer:
    """One issuer; it forgets everything when it ends."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = RSAKey.generate_key(2048, {"kid": "peer-1", "use": "sig", "alg": "RS256"})
        self.foreign_key = RSAKey.generate_key(2048, {"kid": "peer-1"})
        self.people: list[Person] = [
            Person(subject="anna", email="anna@lind.example", name="Anna Lind"),
            Person(subject="boris", email="boris@lind.example", name="Борис Линд"),
        ]
        self.codes: dict[str, Granted] = {}
        self.access_tokens: dict[str, Person] = {}
        self.faults: deque[Mode] = deque()
        self.requests: list[dict[str, Any]] = []

    def grant(self, granted: Granted) -> str:
        code = secrets.token_urlsafe(16)
        self.codes[code] = granted
        return code

    def has(self, *modes: Mode) -> bool:
        """Whether the next fault is one of these; it is then used up."""
        if not (self.faults and self.faults[0] in modes):
            return False
        self.faults.popleft()
        return True
