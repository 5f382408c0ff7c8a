"""Taking a member out of the organization, with everything they hold given to somebody else."""

from dataclasses import dataclass
from typing import LiteralString

from core import clock
from core.db import Tx
from core.errors import Conflict, Unprocessable
from crm.identity import members
from crm.identity.members import Colleague
from crm.identity.queries import require_member
from events.ids import MemberId
from events.outbox import emit
from events.types import TeamMemberRemoved

# What a member holds, each with a statement that gives it on: records and tasks by membership, the rest by user.
_HELD: dict[str, LiteralString] = {
    "contacts": """
        UPDATE contacts SET owner_id = %(to)s, version = version + 1 WHERE owner_id = %(member)s
    """,
    "companies": """
        UPDATE companies SET owner_id = %(to)s, version = version + 1 WHERE owner_id = %(member)s
    """,
    "leads": """
        UPDATE leads SET owner_id = %(to)s, version = version + 1 WHERE owner_id = %(member)s
    """,
    "deals": """
        UPDATE deals SET owner_id = %(to)s, version = version + 1 WHERE owner_id = %(member)s
    """,
    "tasks": """
        UPDATE tasks SET assignee_id = %(to)s, version = version + 1 WHERE assignee_id = %(member)s AND done_at IS NULL
    """,
    "conversations": """
        UPDATE conversations
           SET holder_id = %(to_user)s, holder_kind = CASE WHEN %(to_user)s::uuid IS NULL THEN NULL ELSE holder_kind END
         WHERE holder_kind = 'person'
           AND holder_id = %(user)s
    """,
    "approvals": """
        UPDATE approvals SET assignee_id = %(to_user)s WHERE assignee_id = %(user)s AND status = 'open'
    """,
    "agents": """
        UPDATE bidi
           SET responsible_user_id = %(to_user)s, version = version + 1
         WHERE responsible_user_id = %(user)s
           AND archived_at IS NULL
    """,
    "seats": """
        UPDATE bidi
           SET archived_at = %(now)s, is_paused = true, version = version + 1
         WHERE user_id = %(user)s
           AND archived_at IS NULL
    """,
}


@dataclass(frozen=True)
class _Count:
    what: str
    many: int


async def remove_member(tx: Tx, member_id: MemberId, *, to: MemberId | None) -> None:
    """End somebody's membership: they are signed out everywhere here, and what they hold goes to `to`, or to nobody.

    Agents must have somebody who answers for them, so whoever answers for one cannot leave without a successor. What
    they wrote and decided keeps their name; they can be invited again.

    Raises:
        NotFound: no such member.
        Forbidden: they are above the one who asks.
        Conflict: oneself, the last owner, or agents that nobody would answer for.
        Unprocessable: the successor is no member.
    """
    await members.lock_owners(tx)
    member = await members.get_colleague(tx, member_id, lock=True)
    await members.require_rank(tx, member.role)
    if member.user_id == tx.principal.id:
        raise Conflict("You cannot remove yourself; ask another administrator.")
    await members.require_another_owner(tx, member)
    given = await _give_on(tx, member, await _successor(tx, member, to))
    await members.end_access(tx, member.user_id)
    await tx.execute(
        "UPDATE members SET removed_at = %(now)s, disabled_at = NULL WHERE id = %(id)s",
        now=clock.now(),
        id=member_id,
    )
    changes = {name: (count, 0) for name, count in given.items() if count}
    await emit(tx, TeamMemberRemoved(member_id, to), changes={"role": (member.role, None), **changes})


async def _successor(tx: Tx, member: Colleague, to: MemberId | None) -> Colleague | None:
    if to is None:
        answers_for = await tx.value(
            "SELECT count(*) FROM bidi WHERE responsible_user_id = %(user)s AND kind = 'ai' AND archived_at IS NULL",
            user=member.user_id,
        )
        if answers_for:
            raise Conflict(f"{member.name} answers for agents; say who does from now on.")
        return None
    if to == member.id:
        raise Unprocessable("Choose somebody else to go on with it.", field="to")
    await require_member(tx, to, field="to")
    return await members.get_colleague(tx, to)


async def _give_on(tx: Tx, member: Colleague, successor: Colleague | None) -> dict[str, int]:
    """How much of each went over."""
    people = {
        "member": member.id,
        "user": member.user_id,
        "to": successor.id if successor else None,
        "to_user": successor.user_id if successor else None,
        "now": clock.now(),
    }
    return {name: await tx.execute(statement, **people) for name, statement in _HELD.items()}


async def count_held(tx: Tx, member_id: MemberId) -> dict[str, int]:
    """How much somebody holds, so that whoever removes them knows what is to be given on."""
    tx.principal.require(members.SCOPE)
    member = await members.get_colleague(tx, member_id)
    found = await tx.all(
        _Count,
        """
        SELECT 'contacts' AS what, count(*) AS many FROM contacts WHERE owner_id = %(member)s AND deleted_at IS NULL
         UNION ALL
        SELECT 'companies', count(*) FROM companies WHERE owner_id = %(member)s AND deleted_at IS NULL
         UNION ALL
        SELECT 'leads', count(*) FROM leads WHERE owner_id = %(member)s AND deleted_at IS NULL
         UNION ALL
        SELECT 'deals', count(*) FROM deals WHERE owner_id = %(member)s AND deleted_at IS NULL
         UNION ALL
        SELECT 'tasks', count(*) FROM tasks WHERE assignee_id = %(member)s AND done_at IS NULL
         UNION ALL
        SELECT 'conversations', count(*) FROM conversations WHERE holder_kind = 'person' AND holder_id = %(user)s
         UNION ALL
        SELECT 'agents', count(*) FROM bidi
         WHERE responsible_user_id = %(user)s AND kind = 'ai' AND archived_at IS NULL
        """,
        member=member_id,
        user=member.user_id,
    )
    return {one.what: one.many for one in found if one.many}
