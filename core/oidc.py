"""OpenID Connect as the relying party: the code flow with PKCE, over the one outbound client.

Nothing is kept between two sign-ins: an issuer's addresses and keys are asked for each time, so that a key it has put away
is not believed any more. Source: OpenID Connect Core 1.0, section 3.1; Discovery 1.0, section 4; RFC 7636; RFC 9207.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx2
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from core import clock, crypto, http, jsons
from core.addresses import Reach
from core.errors import Unavailable, Unprocessable

log = structlog.get_logger()
SCOPE = "openid email profile"
# Signatures that need a private key. None, and those with a shared secret, would let whoever reads the public key sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_SILENCE_SECONDS = 10.0
_WHOLE_SECONDS = 20.0
_LEEWAY_SECONDS = 60
_LARGEST_ANSWER = 512 * 1024
_LONGEST_SUBJECT = 255


@dataclass(frozen=True)
class Client:
    """What we are to an issuer, and how far its addresses may lead."""

    issuer: str
    client_id: str
    client_secret: str
    reach: Reach


@dataclass(frozen=True)
class Flow:
    """The secrets of one sign-in, which only the browser that began it carries."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Self:
        return cls(crypto.new_token(), crypto.new_token(), crypto.new_token())


@dataclass(frozen=True)
class Returned:
    """What came back with the browser."""

    state: str
    code: str
    issuer: str = ""
    error: str = ""


@dataclass(frozen=True)
class Identity:
    """Whom the issuer vouches for."""

    subject: str
    email: str
    is_email_verified: bool
    name: str


class IssuerUnavailable(Unavailable):
    """The issuer does not answer, or not as an issuer does."""

    code = "issuer_unavailable"

    def __init__(self, issuer: str) -> None:
        host = urlsplit(issuer).netloc
        super().__init__(f"The sign-in service {host} does not answer as it should; try again later.")


class IdentityRefused(Unprocessable):
    """What the issuer's side brought is not to be believed; why is in the log only."""

    code = "identity_refused"

    def __init__(self, issuer: str, reason: str) -> None:
        log.warning("identity.refused", issuer=issuer, reason=reason)
        super().__init__("This sign-in could not be confirmed; begin again.")


async def authorization_url(client: Client, flow: Flow, redirect_uri: str) -> str:
    """Where to send the browser. Raises: IssuerUnavailable; AddressRefused."""
    async with _calling(client) as calls:
        metadata = await _metadata(calls, client)
    return str(
        prepare_grant_uri(
            _endpoint(client, metadata, "authorization_endpoint"),
            client.client_id,
            "code",
            redirect_uri,
            SCOPE,
            flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
        )
    )


async def identify(client: Client, flow: Flow, redirect_uri: str, returned: Returned) -> Identity:
    """Whom the browser came back as. Raises: IdentityRefused; IssuerUnavailable; AddressRefused."""
    if not crypto.same(returned.state, flow.state):
        raise IdentityRefused(client.issuer, "the state is another browser's")
    if returned.error or not returned.code:
        raise IdentityRefused(client.issuer, f"the issuer said {returned.error[:100] or 'nothing'}")
    async with _calling(client) as calls:
        metadata = await _metadata(calls, client)
        _require_sender(client, metadata, returned)
        tokens = await _redeem(calls, client, metadata, flow, redirect_uri, returned.code)
        keys = await _json(calls, client, "GET", _endpoint(client, metadata, "jwks_uri"))
    claims = _checked(client, flow, tokens, keys)
    return Identity(
        subject=claims["sub"],
        email=str(claims.get("email") or "").strip().lower(),
        # some issuers write it as a text
        is_email_verified=claims.get("email_verified") in (True, "true"),
        name=str(claims.get("name") or "").strip(),
    )


def _require_sender(client: Client, metadata: Mapping[str, Any], returned: Returned) -> None:
    """A code of one issuer is never shown to another. Source: RFC 9207, section 2.4."""
    is_promised = bool(metadata.get("authorization_response_iss_parameter_supported"))
    if (is_promised or returned.issuer) and returned.issuer != client.issuer:
        raise IdentityRefused(client.issuer, "the answer names another issuer")


async def _redeem(
    calls: httpx2.AsyncClient,
    client: Client,
    metadata: Mapping[str, Any],
    flow: Flow,
    redirect_uri: str,
    code: str,
) -> Mapping[str, Any]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": flow.verifier,
    }
    headers = {}
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        # Source: RFC 6749, section 2.3.1: both are form-encoded before they are joined
        pair = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client.client_id, "client_secret": client.client_secret}
    endpoint = _endpoint(client, metadata, "token_endpoint")
    return await _json(calls, client, "POST", endpoint, data=form, headers=headers)


def _checked(
    client: Client, flow: Flow, tokens: Mapping[str, Any], keys: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The claims of an id_token that is the issuer's, for us, of this sign-in, and not over."""
    try:
        signed = jwt.decode(
            str(tokens.get("id_token", "")),
            KeySet.import_key_set({"keys": list(keys["keys"])}),
            registry=JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False),
        )
        wanted = {
            "iss": {"essential": True, "value": client.issuer},
            "aud": {"essential": True, "value": client.client_id},
        }
        known = {
            "nonce": flow.nonce,
            "client_id": client.client_id,
            "access_token": tokens.get("access_token"),
        }
        claims = CodeIDToken(signed.claims, signed.header, wanted, known)
        claims.validate(now=int(clock.now().timestamp()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as err:
        # whatever stands in a token that somebody else has written, it is not one of the issuer's
        raise IdentityRefused(client.issuer, f"{type(err).__name__}: {err}") from err
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise IdentityRefused(client.issuer, "the subject is no text")
    return dict(claims)


async def _metadata(calls: httpx2.AsyncClient, client: Client) -> Mapping[str, Any]:
    _require_sealed(client, client.issuer)
    metadata = await _json(calls, client, "GET", get_well_known_url(client.issuer, external=True))
    if metadata.get("issuer") != client.issuer:
        log.warning("issuer.misnamed", issuer=client.issuer)
        raise IssuerUnavailable(client.issuer)
    return metadata


def _endpoint(client: Client, metadata: Mapping[str, Any], name: str) -> str:
    url = metadata.get(name)
    if not isinstance(url, str):
        raise IssuerUnavailable(client.issuer)
    _require_sealed(client, url)
    return url


def _require_sealed(client: Client, url: str) -> None:
    """Only https, unless whoever runs the installation has named the host. Raises: IssuerUnavailable."""
    parts = urlsplit(url)
    try:
        is_named = client.reach.admits(parts.hostname or "", parts.port or 80)
    except ValueError as err:
        raise IssuerUnavailable(client.issuer) from err
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_named)):
        raise IssuerUnavailable(client.issuer)


@asynccontextmanager
async def _calling(client: Client) -> AsyncIterator[httpx2.AsyncClient]:
    """The outbound client for one step of a flow, which ends in good time. Raises: IssuerUnavailable."""
    calls = http.client(client.reach, timeout_seconds=_SILENCE_SECONDS)
    try:
        async with asyncio.timeout(_WHOLE_SECONDS):
            yield calls
    except TimeoutError as err:
        raise IssuerUnavailable(client.issuer) from err
    finally:
        await calls.aclose()


async def _json(
    calls: httpx2.AsyncClient, client: Client, method: str, url: str, **more: Any
) -> Mapping[str, Any]:
    """The object that an address answers with. Raises: IssuerUnavailable; IdentityRefused for a code that is no good."""
    headers = {"Accept": "application/json"} | more.pop("headers", {})
    try:
        async with calls.stream(method, url, headers=headers, **more) as answer:
            body = bytearray()
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _LARGEST_ANSWER:
                    raise IssuerUnavailable(client.issuer)
    except httpx2.HTTPError as err:
        log.warning("issuer.failed", issuer=client.issuer, reason=type(err).__name__)
        raise IssuerUnavailable(client.issuer) from err
    if method == "POST" and answer.status_code in (400, 401):
        raise IdentityRefused(client.issuer, f"the code was answered with {answer.status_code}")
    try:
        found = jsons.loads(bytes(body)) if answer.status_code == 200 else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        log.warning("issuer.failed", issuer=client.issuer, reason=f"answered with {answer.status_code}")
        raise IssuerUnavailable(client.issuer)
    return found
