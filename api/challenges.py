"""Between the password, or the issuer, and the code: that it was right a moment ago, sealed, for the page that asks the code."""

import base64
import binascii
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from api.deps import Services
from core import clock, crypto, jsons
from core.errors import Unprocessable
from crm.identity.queries import Credentials, find_credentials
from events.ids import OrganizationId

COOKIE = "getsale_challenge"
LIFETIME = timedelta(minutes=5)
_CONTEXT = "sign-in challenge"


def issue(services: Services, email: str, credentials: Credentials) -> str:
    """For the browser whose person has just given the right password, or come back from an issuer."""
    content = {
        "email": email,
        "user_id": credentials.user_id,
        "organization_id": credentials.organization_id,
        "issuer": credentials.issuer,
        "is_confined": credentials.is_confined,
        "password": crypto.content_hash(credentials.password_hash),
        "until": clock.now() + LIFETIME,
    }
    sealed = crypto.encrypt(_key(services), jsons.dumps(content), _CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode()


async def redeem(services: Services, challenge: str) -> tuple[str, Credentials] | None:
    """Whose password was right, with their email; None when that is too long ago, or is not their password any more."""
    try:
        sealed = base64.urlsafe_b64decode(challenge)
        content = jsons.loads(crypto.decrypt(_key(services), sealed, _CONTEXT))
    except (Unprocessable, binascii.Error, ValueError):
        return None
    if datetime.fromisoformat(content["until"]) <= clock.now():
        return None
    found = await find_credentials(services.db, content["email"])
    if found is None or found.user_id != UUID(content["user_id"]):
        return None
    is_same = crypto.same(crypto.content_hash(found.password_hash), content["password"])
    if content["is_confined"]:
        found = replace(
            found, organization_id=OrganizationId(UUID(content["organization_id"])), is_confined=True
        )
    return (content["email"], replace(found, issuer=content["issuer"])) if is_same else None


def _key(services: Services) -> str:
    return services.settings.secret_key.get_secret_value()
