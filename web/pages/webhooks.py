"""Outgoing webhooks: endpoints, their secrets, what was sent to them, and sending it again."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core import clock
from core.addresses import AddressRefused, Reach, tenant_reach
from core.errors import Conflict, Unprocessable
from crm.conversations.inbox import count_folders
from crm.webhooks import actions as webhooks
from crm.webhooks import queries
from crm.webhooks.models import EVENT_TYPES, EVERYTHING, NewWebhook, WebhookEdit
from events.ids import WebhookDeliveryId, WebhookId
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/webhooks")
Types = Annotated[list[str] | None, Form()]
Address = Annotated[str, Form(max_length=2000)]
Description = Annotated[str, Form(max_length=200)]


@router.get("")
async def show_webhooks(session: CurrentSession, cursor: str = "") -> Response:
    return await _index(session, cursor=cursor)


@router.post("")
async def create_webhook(
    session: CurrentSession, url: Address = "", event_types: Types = None, description: Description = ""
) -> Response:
    """The page that answers shows the secret, this once."""
    new = NewWebhook(url, tuple(event_types or ()), description.strip())
    try:
        made = await webhooks.create_webhook(
            session.tx, new, reach=_reach(session), keys=session.services.settings.keyring
        )
    except (Unprocessable, Conflict) as err:
        return await _index(session, status=err.status, problem=_problem(session, err), form=new)
    return await _show(session, made.webhook.id, secret=made.secret)


@router.get("/{webhook_id}")
async def show_webhook(session: CurrentSession, webhook_id: WebhookId, cursor: str = "") -> Response:
    return await _show(session, webhook_id, cursor=cursor)


@router.post("/{webhook_id}")
async def update_webhook(
    session: CurrentSession,
    webhook_id: WebhookId,
    version: Annotated[int, Form()],
    url: Address = "",
    event_types: Types = None,
    description: Description = "",
) -> Response:
    edit = WebhookEdit(url, tuple(event_types or ()), description.strip())
    try:
        await webhooks.update_webhook(session.tx, webhook_id, edit, version=version, reach=_reach(session))
    except Unprocessable as err:
        form = NewWebhook(url, tuple(event_types or ()), description)
        return await _show(session, webhook_id, status=422, problem=_problem(session, err), form=form)
    return _back(webhook_id)


@router.post("/{webhook_id}/state")
async def switch_webhook(
    session: CurrentSession,
    webhook_id: WebhookId,
    version: Annotated[int, Form()],
    is_enabled: Annotated[bool, Form()],
) -> Response:
    edit = WebhookEdit(is_enabled=is_enabled)
    await webhooks.update_webhook(session.tx, webhook_id, edit, version=version, reach=_reach(session))
    return _back(webhook_id)


@router.post("/{webhook_id}/secret")
async def rotate_secret(session: CurrentSession, webhook_id: WebhookId) -> Response:
    made = await webhooks.rotate_secret(session.tx, webhook_id, keys=session.services.settings.keyring)
    return await _show(session, webhook_id, secret=made.secret)


@router.post("/{webhook_id}/test")
async def test_webhook(session: CurrentSession, webhook_id: WebhookId) -> Response:
    await webhooks.send_test(session.tx, webhook_id)
    return _back(webhook_id)


@router.post("/{webhook_id}/removal")
async def remove_webhook(session: CurrentSession, webhook_id: WebhookId) -> Response:
    await webhooks.remove_webhook(session.tx, webhook_id)
    return RedirectResponse("/settings/webhooks", 303)


@router.get("/deliveries/{webhook_delivery_id}")
async def show_delivery(session: CurrentSession, webhook_delivery_id: WebhookDeliveryId) -> Response:
    """One delivery with what was sent and every attempt at it."""
    delivery = await queries.get_delivery(session.tx, webhook_delivery_id)
    return session.page(
        "webhooks/delivery.html",
        delivery=delivery,
        webhook=await queries.get_webhook(session.tx, delivery.webhook_id),
        attempts=await queries.list_attempts(session.tx, delivery.id),
        **await _frame(session),
    )


@router.post("/deliveries/{webhook_delivery_id}/retry")
async def retry_delivery(session: CurrentSession, webhook_delivery_id: WebhookDeliveryId) -> Response:
    delivery = await webhooks.retry_delivery(session.tx, webhook_delivery_id)
    return _back(delivery.webhook_id)


async def _index(session: Session, *, status: int = 200, cursor: str = "", **shown: Any) -> Response:
    context = {
        "problem": "",
        "form": NewWebhook("", ()),
        "webhooks": await queries.list_webhooks(session.tx, cursor=cursor or None),
        **await _frame(session),
    }
    return session.page("webhooks/index.html", status=status, **{**context, **shown})


async def _show(
    session: Session, webhook_id: WebhookId, *, status: int = 200, cursor: str = "", **shown: Any
) -> Response:
    """Raises: NotFound, Forbidden."""
    webhook = await queries.get_webhook(session.tx, webhook_id)
    context = {
        "problem": "",
        "secret": "",
        "webhook": webhook,
        "form": NewWebhook(webhook.url, tuple(webhook.event_types), webhook.description),
        "deliveries": await queries.list_deliveries(session.tx, webhook_id, cursor=cursor or None),
        **await _frame(session),
    }
    return session.page("webhooks/show.html", status=status, **{**context, **shown})


async def _frame(session: Session) -> dict[str, Any]:
    return {
        "section": "settings",
        "counts": await count_folders(session.tx),
        "event_types": EVENT_TYPES,
        "everything": EVERYTHING,
        "now": clock.now(),
    }


def _problem(session: Session, err: Unprocessable | Conflict) -> str:
    """Why a form was not taken, in the reader's words."""
    if isinstance(err, AddressRefused):
        return session.words.gettext(
            "This address is inside our own network. Give one that is reached from outside."
        )
    if isinstance(err, Conflict):
        return session.words.gettext("There are too many webhooks already. Remove one that is not needed.")
    if err.fields.get("field") == "event_types":
        return session.words.gettext("Choose at least one event.")
    return session.words.gettext(
        "Give an address that begins with https://, such as https://example.com/hooks."
    )


def _back(webhook_id: WebhookId) -> Response:
    return RedirectResponse(f"/settings/webhooks/{webhook_id}", 303)


def _reach(session: Session) -> Reach:
    return tenant_reach(session.services.settings)
