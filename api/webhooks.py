"""Inbound webhooks: verify -> parse -> one action."""

from typing import Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from api.deps import CurrentServices, Services
from channels.telegram.inbound import Understood, parse
from core import crypto, jsons
from core.errors import Forbidden, NotFound, TooLarge, Unprocessable
from core.principal import Principal, system
from crm.channel_accounts.models import webhook_secret
from crm.channel_accounts.queries import find_organization_of, get_channel_account
from crm.conversations.actions import receive_message
from events.ids import ChannelAccountId

log = structlog.get_logger()
router = APIRouter(prefix="/webhooks", tags=["webhooks"])
MAX_BODY_BYTES = 1024 * 1024


class Received(BaseModel):
    """What became of an update; `reason` says why one was refused."""

    status: str
    reason: str = ""


@router.post("/telegram/{account_id}", operation_id="receive_telegram_update")
async def telegram(account_id: UUID, request: Request, services: CurrentServices) -> Received:
    """Take one Bot API update, once."""
    account_key = ChannelAccountId(account_id)
    principal = await _verify(
        services, account_key, request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
    )
    update = await _read_json(request)
    try:
        inbound = parse(update, file_limit_bytes=services.settings.telegram_file_limit_bytes)
    except Unprocessable as err:
        if not isinstance(update.get("update_id"), int):
            raise
        # A well-formed update that we do not take: an error would only make Telegram repeat it.
        log.warning("update.refused", account_id=str(account_id), reason=err.detail)
        return Received(status="refused", reason=err.detail)
    if isinstance(inbound, Understood):
        return Received(status="accepted", reason=inbound.reason)
    async with services.db.transaction(principal, "webhook.telegram") as tx:
        account = await get_channel_account(tx, account_key)
        return Received(status=await receive_message(tx, account, inbound))


async def _verify(services: Services, account_id: ChannelAccountId, secret: str) -> Principal:
    """The secret comes first: without it nobody learns which accounts there are.

    Raises: Forbidden for a wrong secret; NotFound for an account that is gone.
    """
    expected = webhook_secret(services.settings.secret_key.get_secret_value(), account_id)
    if not crypto.same(secret, expected):
        raise Forbidden("The webhook's secret token is wrong.")
    organization_id = await find_organization_of(services.db, account_id)
    if organization_id is None:
        raise NotFound("No channel account has this webhook address.")
    return system(organization_id)


async def _read_json(request: Request) -> dict[str, Any]:
    """Raises: TooLarge; Unprocessable for what is not a JSON object."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge(f"An update has at most {MAX_BODY_BYTES} bytes.")
    try:
        update = await run_in_threadpool(jsons.loads, body) if len(body) > 100_000 else jsons.loads(body)
    except ValueError as err:
        raise Unprocessable("The update is not JSON.") from err
    if not isinstance(update, dict):
        raise Unprocessable("The update is not a JSON object.")
    return update
