"""Making seats, changing what they may do, and stopping them."""

from dataclasses import replace
from uuid import UUID

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.bidi import checks
from crm.bidi.models import Autonomy, Bidi, BidiEdit, BidiKind, NewBidi
from crm.bidi.queries import get_bidi, get_bidi_of_agent
from events.ids import BidiId, UserId
from events.outbox import emit
from events.types import BidiArchived, BidiCreated, BidiPaused, BidiResumed, BidiUpdated

INBOX_SCOPES = (
    "contacts:read", "contacts:write", "companies:read", "companies:write", "leads:read", "leads:write", "deals:read", "deals:write",
    "tasks:read", "tasks:write", "notes:read", "notes:write", "meetings:read", "meetings:write", "facts:read",
    "facts:write", "conversations:read", "conversations:write", "drafts:write", "graph:read", "knowledge:read",
    "approvals:write",
)  # fmt: skip


# It reads what its asker may read, and writes only what a person approves. Drafts are the inbox agent's.
COPILOT_SCOPES = (
    "contacts:read", "contacts:write", "companies:read", "companies:write", "leads:read", "leads:write", "deals:read", "deals:write",
    "tasks:read", "tasks:write", "notes:read", "notes:write", "meetings:read", "meetings:write", "facts:read",
    "conversations:read", "graph:read", "knowledge:read", "approvals:write",
)  # fmt: skip


# What it learns waits in quarantine for a person, so it may write that down by itself, and nothing else.
MEMORY_WRITER_SCOPES = ("contacts:read", "conversations:read", "facts:read", "facts:write")

# It suggests; what it suggests happens once a person accepts it, within what the seat holds.
FOLLOW_UP_SCOPES = (
    "contacts:read", "companies:read", "deals:read", "deals:write", "tasks:read", "tasks:write", "facts:write",
    "conversations:read", "drafts:write", "meetings:read", "suggestions:write",
)  # fmt: skip

# Agents of which an organization has one seat, made when it is needed for the first time: name, autonomy, scopes.
_OWN_SEATS = {
    "copilot": ("Copilot", Autonomy.SUGGEST, COPILOT_SCOPES),
    "follow_up": ("Follow-up", Autonomy.SUGGEST, FOLLOW_UP_SCOPES),
    "memory_writer": ("Memory", Autonomy.ASSIST, MEMORY_WRITER_SCOPES),
}


async def ensure_copilot(tx: Tx) -> Bidi:
    """The seat that answers the organization's members; in a run it may do no more than its asker."""
    return await ensure_seat(tx, "copilot")


async def ensure_seat(tx: Tx, agent: str) -> Bidi:
    """The one seat of an agent of which an organization has one; made when it is needed for the first time.

    Whoever owns the organization is responsible for it.
    """
    name, autonomy, scopes = _OWN_SEATS[agent]
    bidi_id = await tx.value(
        """
        INSERT INTO bidi (organization_id, id, kind, name, responsible_user_id, agent, autonomy, scopes)
        SELECT %(organization_id)s, %(id)s, 'ai', %(name)s, user_id, %(agent)s, %(autonomy)s, %(scopes)s
          FROM members
         WHERE NOT EXISTS (SELECT FROM bidi WHERE agent = %(agent)s)
         ORDER BY role <> 'owner', created_at, id
         LIMIT 1
            ON CONFLICT (organization_id, agent) WHERE agent IN ('copilot', 'follow_up', 'memory_writer') DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        name=name,
        agent=agent,
        autonomy=autonomy,
        scopes=list(scopes),
    )
    if bidi_id is not None:
        await emit(tx, BidiCreated(bidi_id))
    return await get_bidi_of_agent(tx, agent)


# A program reads what its key's person may read, and proposes; whatever it writes waits for a person.
API_SCOPES = (*COPILOT_SCOPES, "conversations:write", "drafts:write", "facts:write", "suggestions:write")


async def ensure_api_seat(tx: Tx) -> Bidi:
    """The seat as which programs call tools; made when one calls for the first time. See `ensure_copilot`."""
    bidi_id = await tx.value(
        """
        INSERT INTO bidi (organization_id, id, kind, name, responsible_user_id, agent, autonomy, scopes, max_steps)
        SELECT %(organization_id)s, %(id)s, 'ai', 'API', user_id, 'api', 'suggest', %(scopes)s, 100
          FROM members
         WHERE NOT EXISTS (SELECT FROM bidi WHERE agent = 'api')
         ORDER BY role <> 'owner', created_at, id
         LIMIT 1
            ON CONFLICT (organization_id) WHERE agent = 'api' DO NOTHING
        RETURNING id
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        scopes=list(API_SCOPES),
    )
    if bidi_id is not None:
        await emit(tx, BidiCreated(bidi_id))
    return await get_bidi_of_agent(tx, "api")


async def create_ai_bidi(
    tx: Tx, *, name: str, agent: str, autonomy: Autonomy, persona: str, responsible_user_id: UserId
) -> BidiId:
    """Make an AI seat with the scopes of its agent; a person answers for it."""
    tx.principal.require("bidi:manage")
    bidi_id = BidiId(uuid7())
    await tx.execute(
        """
        INSERT INTO bidi (organization_id, id, kind, name, responsible_user_id, agent, autonomy, persona, scopes)
        VALUES (%(organization_id)s, %(id)s, 'ai', %(name)s, %(responsible_user_id)s, %(agent)s, %(autonomy)s,
                %(persona)s, %(scopes)s)
        """,
        organization_id=tx.organization_id,
        id=bidi_id,
        name=name,
        responsible_user_id=responsible_user_id,
        agent=agent,
        autonomy=autonomy,
        persona=persona,
        scopes=list(INBOX_SCOPES),
    )
    await emit(tx, BidiCreated(bidi_id))
    return bidi_id


AGENT_SCOPES = {"inbox": INBOX_SCOPES}  # the others' seats make themselves: _OWN_SEATS


async def create_bidi(tx: Tx, new: NewBidi, edit: BidiEdit) -> Bidi:
    """Make a seat; an agent's begins with the scopes of its agent, unless the edit names others.

    Raises: Forbidden; Unprocessable; Conflict when the member sits on a seat already.
    """
    tx.principal.require("bidi:manage")
    await checks.check_new(tx, new, agents=tuple(AGENT_SCOPES))
    if new.user_id is not None and await tx.value(
        "SELECT true FROM bidi WHERE user_id = %(user_id)s AND archived_at IS NULL", user_id=new.user_id
    ):
        raise Conflict("This member sits on a seat already; archive that one first.", field="user_id")
    bidi_id = BidiId(uuid7())
    await tx.execute(
        """
        INSERT INTO bidi (organization_id, id, kind, name, user_id, responsible_user_id, agent, scopes)
        VALUES (%(organization_id)s, %(id)s, %(kind)s, %(name)s, %(user_id)s, %(responsible_user_id)s, %(agent)s,
                %(scopes)s)
        """,
        organization_id=tx.organization_id,
        id=bidi_id,
        kind=new.kind,
        name=new.name.strip(),
        user_id=new.user_id,
        responsible_user_id=new.responsible_user_id or new.user_id,
        agent=new.agent,
        scopes=list(AGENT_SCOPES.get(new.agent or "", ())),
    )
    await emit(tx, BidiCreated(bidi_id))
    return await _change(tx, await get_bidi(tx, bidi_id, lock=True), edit)


async def update_bidi(tx: Tx, bidi_id: BidiId, edit: BidiEdit, *, version: int) -> Bidi:
    """Change some fields of a seat; runs that have begun go on as they began.

    Raises: NotFound; Forbidden; Conflict for an archived seat; Stale; Unprocessable.
    """
    bidi = await get_bidi(tx, bidi_id, lock=True)
    _require_editor(tx, bidi, edit)
    _require_in_use(bidi)
    if bidi.version != version:
        raise Stale(f"{bidi.name} was changed meanwhile; reload and try again.")
    return await _change(tx, bidi, edit)


def _require_editor(tx: Tx, bidi: Bidi, edit: BidiEdit) -> None:
    """Seats are for admins to change; how an agent writes is for supervisors too."""
    is_instruction = bidi.kind is BidiKind.AI and given(edit).keys() == {"persona"}
    if not (is_instruction and tx.principal.may("bidi:instruct")):
        tx.principal.require("bidi:manage")


def _require_in_use(bidi: Bidi) -> None:
    if bidi.archived_at is not None:
        raise Conflict(f"{bidi.name} is archived; make a new seat.", state="archived")


async def _change(tx: Tx, bidi: Bidi, edit: BidiEdit) -> Bidi:
    """Write what differs of a locked seat; an edit that changes nothing leaves no trace."""
    changes = differences(bidi, given(replace(edit, account_ids=KEEP)))
    accounts = set(bidi.account_ids) if edit.account_ids is KEEP else set(edit.account_ids)
    if not changes and accounts == set(bidi.account_ids):
        return bidi
    await checks.check_edit(tx, bidi, edit)
    if accounts != set(bidi.account_ids):
        await _give_accounts(tx, bidi, sorted(accounts))
        changes["account_ids"] = (
            [str(one) for one in bidi.account_ids],
            [str(one) for one in sorted(accounts)],
        )
    values = {name: after for name, (_, after) in changes.items() if name != "account_ids"}
    await tx.execute(
        sql.SQL("UPDATE bidi SET {values}, version = version + 1 WHERE id = %(bidi_id)s").format(
            values=assignments(values | {"updated_at": clock.now()})
        ),
        bidi_id=bidi.id,
    )
    await emit(tx, BidiUpdated(bidi.id), changes=changes)
    return await get_bidi(tx, bidi.id)


async def _give_accounts(tx: Tx, bidi: Bidi, account_ids: list[UUID]) -> None:
    """Make accounts the seat's own, and let go of those that are not among them. Raises: Unprocessable."""
    taken = await tx.execute(
        """
        UPDATE channel_accounts
           SET bidi_id = %(bidi_id)s
         WHERE id = ANY(%(account_ids)s)
           AND (bidi_id IS NULL OR bidi_id = %(bidi_id)s)
        """,
        bidi_id=bidi.id,
        account_ids=account_ids,
    )
    if taken != len(account_ids):
        raise Unprocessable("One of these accounts is not there, or is another seat's.", field="account_ids")
    await tx.execute(
        "UPDATE channel_accounts SET bidi_id = NULL WHERE bidi_id = %(bidi_id)s AND NOT id = ANY(%(account_ids)s)",
        bidi_id=bidi.id,
        account_ids=account_ids,
    )


async def set_intents(tx: Tx, bidi: Bidi, intents: set[str]) -> Bidi:
    """Write what a locked seat answers by itself; who may, and whether it is earned, `crm.drafts.earning` knows."""
    if intents == set(bidi.autopilot_intents):
        return bidi
    await tx.execute(
        """
        UPDATE bidi
           SET autopilot_intents = %(intents)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(bidi_id)s
        """,
        intents=sorted(intents),
        now=clock.now(),
        bidi_id=bidi.id,
    )
    changes: dict[str, tuple[object, object]] = {
        "autopilot_intents": (bidi.autopilot_intents, sorted(intents))
    }
    await emit(tx, BidiUpdated(bidi.id), changes=changes)
    return await get_bidi(tx, bidi.id)


async def pause_bidi(tx: Tx, bidi_id: BidiId) -> bool:
    """Let a seat begin nothing more; False when it was paused. `crm.runs.halting` stops what it has begun."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    _require_in_use(bidi)
    if bidi.is_paused:
        return False
    await _set_paused(tx, bidi_id, is_paused=True)
    await emit(tx, BidiPaused(bidi_id))
    return True


async def resume_bidi(tx: Tx, bidi_id: BidiId) -> Bidi:
    """Let a paused seat work again. Raises: NotFound; Forbidden; Conflict for an archived seat."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    _require_in_use(bidi)
    if bidi.is_paused:
        await _set_paused(tx, bidi_id, is_paused=False)
        await emit(tx, BidiResumed(bidi_id))
    return await get_bidi(tx, bidi_id)


async def archive_bidi(tx: Tx, bidi_id: BidiId) -> None:
    """Close a seat for good; what it did stays, and its accounts are nobody's. Raises: as `pause_bidi`."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    _require_in_use(bidi)
    await _give_accounts(tx, bidi, [])
    await _set_paused(tx, bidi_id, is_paused=True)
    await tx.execute(
        "UPDATE bidi SET archived_at = %(now)s WHERE id = %(bidi_id)s", now=clock.now(), bidi_id=bidi_id
    )
    await emit(tx, BidiArchived(bidi_id))


async def _set_paused(tx: Tx, bidi_id: BidiId, *, is_paused: bool) -> None:
    await tx.execute(
        """
        UPDATE bidi
           SET is_paused = %(is_paused)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(bidi_id)s
        """,
        is_paused=is_paused,
        now=clock.now(),
        bidi_id=bidi_id,
    )


async def set_model(tx: Tx, bidi_id: BidiId, model: str | None) -> None:
    """Let a seat use the model of this name, or without one whatever its organization uses."""
    tx.principal.require("bidi:manage")
    bidi = await get_bidi(tx, bidi_id, lock=True)
    if bidi.model == model:
        return
    await tx.execute(
        """
        UPDATE bidi
           SET model = %(model)s, version = version + 1, updated_at = %(now)s
         WHERE id = %(id)s
        """,
        model=model,
        now=clock.now(),
        id=bidi_id,
    )
    await emit(tx, BidiUpdated(bidi_id), changes={"model": (bidi.model, model)})
