"""Teams: members who work together under a name, and who leads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from core.db import Tx
from core.edits import KEEP, Keep, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.identity.queries import require_member
from events.ids import MemberId, TeamId
from events.outbox import emit
from events.types import TeamCreated, TeamDeleted, TeamUpdated

SCOPE = "team:manage"
MAX_NAME, MAX_MEMBERS = 100, 200


@dataclass(frozen=True)
class Team:
    id: TeamId
    name: str
    member_ids: list[MemberId]
    lead_id: MemberId | None
    version: int
    created_at: datetime


@dataclass(frozen=True)
class TeamEdit:
    """What is to change; what is left out stays."""

    name: str | Keep = KEEP
    member_ids: Sequence[MemberId] | Keep = KEEP
    lead_id: MemberId | Keep | None = KEEP


# Whoever has left is in no team any more, and comes back into none.
_TEAM: LiteralString = """
        SELECT t.id, t.name, t.version, t.created_at,
               ARRAY(SELECT k.member_id
                       FROM team_members k
                       JOIN members m ON m.organization_id = k.organization_id AND m.id = k.member_id
                      WHERE k.team_id = t.id
                        AND m.removed_at IS NULL
                      ORDER BY m.created_at, m.id) AS member_ids,
               (SELECT k.member_id
                  FROM team_members k
                  JOIN members m ON m.organization_id = k.organization_id AND m.id = k.member_id
                 WHERE k.team_id = t.id
                   AND k.is_lead
                   AND m.removed_at IS NULL) AS lead_id
          FROM teams t
"""


async def list_teams(tx: Tx) -> list[Team]:
    """Every team, by name."""
    tx.principal.require("team:read")
    return await tx.all(Team, _TEAM + "         ORDER BY lower(t.name), t.id")


async def get_team(tx: Tx, team_id: TeamId, *, lock: bool = False) -> Team:
    """Raises: NotFound."""
    tx.principal.require("team:read")
    if lock:
        await tx.execute("SELECT FROM teams WHERE id = %(id)s FOR UPDATE", id=team_id)
    return await tx.one(Team, _TEAM + "         WHERE t.id = %(id)s", id=team_id)


async def create_team(
    tx: Tx, name: str, *, member_ids: Sequence[MemberId] = (), lead_id: MemberId | None = None
) -> Team:
    """Raises: Forbidden; Conflict for a name that another team has; Unprocessable."""
    tx.principal.require(SCOPE)
    called = await _free_name(tx, name, None)
    team_id = TeamId(uuid7())
    await tx.execute(
        "INSERT INTO teams (organization_id, id, name) VALUES (%(organization_id)s, %(id)s, %(name)s)",
        organization_id=tx.organization_id,
        id=team_id,
        name=called,
    )
    await _seat(tx, team_id, member_ids, lead_id)
    await emit(
        tx, TeamCreated(team_id), changes={"name": (None, called), "member_ids": ([], list(member_ids))}
    )
    return await get_team(tx, team_id)


async def update_team(tx: Tx, team_id: TeamId, edit: TeamEdit, *, version: int) -> Team:
    """Raises: NotFound; Forbidden; Stale; Conflict for a name that another team has; Unprocessable."""
    team = await get_team(tx, team_id, lock=True)
    tx.principal.require(SCOPE)
    if team.version != version:
        raise Stale("This team was changed meanwhile; reload and try again.")
    wanted = given(edit)
    if edit.name is not KEEP:
        wanted["name"] = await _free_name(tx, edit.name, team_id)
    members = list(edit.member_ids) if edit.member_ids is not KEEP else team.member_ids
    lead_id = edit.lead_id if edit.lead_id is not KEEP else team.lead_id
    changes = differences(team, wanted)
    if not changes:
        return team
    await _seat(tx, team_id, members, lead_id)
    await tx.execute(
        "UPDATE teams SET name = %(name)s, version = version + 1 WHERE id = %(id)s",
        name=wanted.get("name", team.name),
        id=team_id,
    )
    await emit(tx, TeamUpdated(team_id), changes=changes)
    return await get_team(tx, team_id)


async def delete_team(tx: Tx, team_id: TeamId) -> None:
    """Take a team apart; its members stay members. Raises: NotFound; Forbidden."""
    team = await get_team(tx, team_id, lock=True)
    tx.principal.require(SCOPE)
    await tx.execute("DELETE FROM teams WHERE id = %(id)s", id=team_id)
    await emit(
        tx, TeamDeleted(team_id), changes={"name": (team.name, None), "member_ids": (team.member_ids, [])}
    )


async def _free_name(tx: Tx, name: str, own_id: TeamId | None) -> str:
    called = " ".join(name.split())
    if not called or len(called) > MAX_NAME:
        raise Unprocessable(f"A team needs a name of at most {MAX_NAME} characters.", field="name")
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('teams ' || %(id)s, 0))", id=str(tx.organization_id)
    )
    is_taken = await tx.value(
        "SELECT true FROM teams WHERE lower(name) = lower(%(name)s) AND id IS DISTINCT FROM %(own_id)s",
        name=called,
        own_id=own_id,
    )
    if is_taken:
        raise Conflict(f"There is a team {called} already; choose another name.")
    return called


async def _seat(tx: Tx, team_id: TeamId, member_ids: Sequence[MemberId], lead_id: MemberId | None) -> None:
    """Put these members into the team, and nobody else."""
    if len(member_ids) > MAX_MEMBERS:
        raise Unprocessable(f"At most {MAX_MEMBERS} members fit into a team.", field="member_ids")
    for member_id in member_ids:
        await require_member(tx, member_id, field="member_ids")
    if lead_id is not None and lead_id not in member_ids:
        raise Unprocessable("Whoever leads a team is in it; choose one of its members.", field="lead_id")
    await tx.execute("DELETE FROM team_members WHERE team_id = %(id)s", id=team_id)
    await tx.execute_many(
        """
        INSERT INTO team_members (organization_id, team_id, member_id, is_lead)
        VALUES (%(organization_id)s, %(team_id)s, %(member_id)s, %(is_lead)s)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "team_id": team_id,
                "member_id": member_id,
                "is_lead": member_id == lead_id,
            }
            for member_id in dict.fromkeys(member_ids)
        ],
    )
