"""What stands against a call that leaves the house without a person: the intents, the day's cap, the hours, the text."""

from collections.abc import Sequence

from pydantic import BaseModel

from core import clock
from core.db import Tx
from core.languages import language_of
from crm.bidi import hours
from crm.bidi.models import Bidi
from crm.bidi.queries import get_bidi, lock_bidi
from crm.conversations.models import MAX_ANSWERS_ALONE
from crm.conversations.queries import count_answers_alone
from crm.identity.queries import get_organization
from crm.runs import tool_calls
from tools import provenance
from tools.base import RunContext
from tools.guard import Source, inspect


async def reasons_against(
    tx: Tx, ctx: RunContext, tool: str, args: BaseModel, untrusted_tools: Sequence[str]
) -> tuple[str, ...]:
    """Why a person must decide about this after all, as codes; nothing when the seat may go ahead."""
    # two runs of one seat do not share its last reply of the day
    await lock_bidi(tx, ctx.bidi.id)
    organization = await get_organization(tx)
    zone = hours.zone_of(ctx.bidi, organization.time_zone)
    why = []
    # what it has earned may have been taken back since the run began
    if not (_is_intended(ctx.bidi, args) and _is_intended(await get_bidi(tx, ctx.bidi.id), args)):
        why.append("intent")
    if (
        await tool_calls.count_calls_of_seat(tx, ctx.bidi.id, tool, hours.midnight(zone))
        >= ctx.bidi.daily_cap
    ):
        why.append("capped")
    if ctx.conversation_id and await count_answers_alone(tx, ctx.conversation_id) >= MAX_ANSWERS_ALONE:
        why.append("alone")
    if not hours.is_at_work(ctx.bidi, clock.now().astimezone(zone), organization):
        why.append("off_hours")
    if await _is_suspicious(tx, ctx, args, untrusted_tools):
        why.append("guard")
    return tuple(why)


def _is_intended(bidi: Bidi, args: BaseModel) -> bool:
    """Whether all that the counterpart wants is what the seat may answer by itself."""
    intents: tuple[str, ...] | None = getattr(args, "intents", None)
    return intents is None or bidi.answers(intents)


async def _is_suspicious(tx: Tx, ctx: RunContext, args: BaseModel, untrusted_tools: Sequence[str]) -> bool:
    """Whether the text has an address, a link, a figure, a name or a promise that nothing trusted bears out.

    What the caller itself has flagged is looked at by a person anyway.
    """
    body = str(getattr(args, "body", ""))
    if not body:
        return False
    if getattr(args, "flags", ()):
        return True
    heard = await provenance.heard_by(tx, ctx, untrusted_tools)
    sources = [Source(one.plain, one.trust) for one in heard]
    reader = next((one.plain for one in heard if one.kind == "contact"), "")
    said = " ".join(one.plain for one in heard if one.kind == "message" and not one.is_trusted)
    language = str(getattr(args, "language", "en"))
    return bool(
        inspect(body, sources, language=language, reader=reader, spoken=language_of(said[-2000:], language))
    )
