"""A member's API keys: make one, see which are in use, shut one off."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core import clock
from core.errors import Forbidden, Unprocessable
from crm.api_keys import actions as api_keys
from crm.api_keys import queries
from crm.conversations.inbox import count_folders
from crm.identity.models import ALL_SCOPES
from crm.identity.queries import list_members
from events.ids import ApiKeyId, UserId
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/api-keys")
# How long a key is good, in days; 0 is until it is revoked.
TERMS = (30, 90, 365, 0)
MAX_NAME = 200


@router.get("")
async def show_api_keys(session: CurrentSession, cursor: str = "") -> Response:
    return await _page(session, cursor=cursor)


@router.post("")
async def create_api_key(
    session: CurrentSession,
    scopes: Annotated[list[str] | None, Form()] = None,
    name: Annotated[str, Form(max_length=MAX_NAME)] = "",
    days: Annotated[int, Form(ge=0, le=3650)] = TERMS[1],
) -> Response:
    """The page that answers shows the key, this once."""
    until = clock.now() + timedelta(days=days) if days else None
    kept: dict[str, Any] = {"chosen": set(scopes or ()), "name": name, "days": days}
    try:
        made = await api_keys.create_api_key(
            session.tx,
            UserId(session.principal.id),
            name=name.strip(),
            scopes=scopes or (),
            expires_at=until,
        )
    except Unprocessable:
        problem = session.words.gettext("Choose at least one thing that the key may do.")
        return await _page(session, status=422, problem=problem, **kept)
    except Forbidden:
        problem = session.words.gettext("A key may do no more than you may.")
        return await _page(session, status=403, problem=problem, **kept)
    return await _page(session, secret=made.secret)


@router.post("/{api_key_id}/revocation")
async def revoke_api_key(session: CurrentSession, api_key_id: ApiKeyId) -> Response:
    await api_keys.revoke_api_key(session.tx, api_key_id)
    return RedirectResponse("/settings/api-keys", 303)


async def _page(session: Session, *, status: int = 200, cursor: str = "", **shown: Any) -> Response:
    context = {
        "secret": "",
        "problem": "",
        "chosen": set(),
        "name": "",
        "days": TERMS[1],
        "terms": TERMS,
        "scopes": [scope for scope in sorted(ALL_SCOPES) if session.principal.may(scope)],
        "keys": await queries.list_api_key_page(session.tx, cursor=cursor or None),
        "people": {member.user_id: member.name for member in await list_members(session.tx)},
        "counts": await count_folders(session.tx),
        "section": "settings",
    }
    return session.page("api_keys/index.html", status=status, **{**context, **shown})
