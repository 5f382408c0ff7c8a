"""Making, changing, moving and removing rules of assignment; what waits is looked at again after each."""

from dataclasses import replace

from psycopg import sql

from core import clock
from core.db import Tx
from core.edits import KEEP, assignments, differences, given
from core.errors import Conflict, Stale, Unprocessable
from core.ids import uuid7
from crm.assignment.models import MAX_NAME, MOST_RULES, AssignmentRule, NewRule, RuleEdit
from crm.assignment.queries import get_rule, list_rules
from crm.bidi.models import BidiKind
from crm.bidi.queries import list_bidi
from crm.segments.queries import get_segment
from events.ids import AssignmentRuleId, BidiId, OrganizationId, RecordKind, SegmentId
from events.outbox import emit
from events.types import (
    AssignmentRuleCreated,
    AssignmentRuleRemoved,
    AssignmentRuleUpdated,
    OrganizationUpdated,
)

CHANNELS = ("", "telegram", "email", "webchat")


async def create_rule(tx: Tx, new: NewRule) -> AssignmentRule:
    """Add a rule behind the others of its kind. Raises: Forbidden; Unprocessable; Conflict when there are too many."""
    tx.principal.require("bidi:manage")
    name = _checked_name(new.name)
    await _check(tx, list(new.bidi_ids), new.segment_id, new.channel)
    rules = [one for one in await list_rules(tx) if one.record_kind is new.record_kind]
    if len(rules) >= MOST_RULES:
        raise Conflict(f"There are {MOST_RULES} rules already; remove one that is not needed.")
    rule_id = AssignmentRuleId(uuid7())
    await tx.execute(
        """
        INSERT INTO assignment_rules (organization_id, id, record_kind, name, position, segment_id, channel, way)
        VALUES (%(organization_id)s, %(id)s, %(record_kind)s, %(name)s, %(position)s, %(segment_id)s, %(channel)s,
                %(way)s)
        """,
        organization_id=tx.organization_id,
        id=rule_id,
        record_kind=new.record_kind,
        name=name,
        position=max((one.position for one in rules), default=0) + 1,
        segment_id=new.segment_id,
        channel=new.channel,
        way=new.way,
    )
    await _seat(tx, rule_id, list(new.bidi_ids))
    await emit(tx, AssignmentRuleCreated(rule_id))
    return await get_rule(tx, rule_id)


async def update_rule(tx: Tx, rule_id: AssignmentRuleId, edit: RuleEdit, *, version: int) -> AssignmentRule:
    """Change some fields of a rule, or move it; an edit that changes nothing leaves no trace.

    Raises: NotFound; Forbidden; Stale; Unprocessable.
    """
    rule = await get_rule(tx, rule_id, lock=True)
    tx.principal.require("bidi:manage")
    if rule.version != version:
        raise Stale(f"The rule {rule.name} was changed meanwhile; reload and try again.")
    wanted = replace(edit, name=edit.name if edit.name is KEEP else _checked_name(edit.name))
    changes = differences(rule, given(wanted))
    if not changes:
        return rule
    bidi_ids = rule.bidi_ids if edit.bidi_ids is KEEP else edit.bidi_ids
    segment_id = rule.segment_id if edit.segment_id is KEEP else edit.segment_id
    channel = rule.channel if edit.channel is KEEP else edit.channel
    await _check(tx, bidi_ids, segment_id, channel)
    if "bidi_ids" in changes:
        await _seat(tx, rule_id, bidi_ids)
    if edit.position is not KEEP and "position" in changes:
        await _move(tx, rule, edit.position)
    values = {name: value for name, (_, value) in changes.items() if name not in ("bidi_ids", "position")}
    await tx.execute(
        sql.SQL("UPDATE assignment_rules SET {values}, version = version + 1 WHERE id = %(id)s").format(
            values=assignments(values | {"updated_at": clock.now()})
        ),
        id=rule_id,
    )
    await emit(tx, AssignmentRuleUpdated(rule_id), changes=changes)
    return await get_rule(tx, rule_id)


async def delete_rule(tx: Tx, rule_id: AssignmentRuleId) -> None:
    """Take a rule away; who was given something by it keeps it. Raises: NotFound; Forbidden."""
    await get_rule(tx, rule_id, lock=True)
    tx.principal.require("bidi:manage")
    await tx.execute("DELETE FROM assignment_rules WHERE id = %(id)s", id=rule_id)
    await emit(tx, AssignmentRuleRemoved(rule_id))


async def set_reassigning(tx: Tx, is_on: bool) -> None:
    """Say whether what a seat holds goes to others when it is paused. Raises: Forbidden."""
    tx.principal.require("bidi:manage")
    changed = await tx.execute(
        "UPDATE organizations SET reassigns_paused = %(is_on)s WHERE reassigns_paused <> %(is_on)s",
        is_on=is_on,
    )
    if changed:
        changes: dict[str, tuple[object, object]] = {"reassigns_paused": (not is_on, is_on)}
        await emit(tx, OrganizationUpdated(OrganizationId(tx.organization_id)), changes=changes)


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not plain or len(plain) > MAX_NAME:
        raise Unprocessable(f"A rule needs a name of at most {MAX_NAME} characters.", field="name")
    return plain


async def _check(tx: Tx, bidi_ids: list[BidiId], segment_id: SegmentId | None, channel: str) -> None:
    seats = {seat.id: seat for seat in await list_bidi(tx)}
    if not bidi_ids:
        raise Unprocessable("Name at least one seat that takes what the rule gives.", field="bidi_ids")
    for bidi_id in bidi_ids:
        seat = seats.get(bidi_id)
        if seat is None or (seat.kind is BidiKind.AI and not seat.serves_conversations):
            raise Unprocessable("One of these seats is not there, or takes no such thing.", field="bidi_ids")
    if channel not in CHANNELS:
        raise Unprocessable("Choose one of the channels, or none for any.", field="channel")
    if segment_id is not None and (await get_segment(tx, segment_id)).record_kind is not RecordKind.CONTACT:
        raise Unprocessable("Choose a segment of contacts.", field="segment_id")


async def _seat(tx: Tx, rule_id: AssignmentRuleId, bidi_ids: list[BidiId]) -> None:
    """Let exactly these seats take what the rule gives; who stays keeps their turn."""
    await tx.execute(
        "DELETE FROM assignment_rule_seats WHERE rule_id = %(rule_id)s AND NOT bidi_id = ANY(%(bidi_ids)s)",
        rule_id=rule_id,
        bidi_ids=bidi_ids,
    )
    await tx.execute(
        """
        INSERT INTO assignment_rule_seats (organization_id, rule_id, bidi_id)
        SELECT %(organization_id)s, %(rule_id)s, bidi_id
          FROM unnest(%(bidi_ids)s::uuid[]) AS bidi_id
            ON CONFLICT DO NOTHING
        """,
        organization_id=tx.organization_id,
        rule_id=rule_id,
        bidi_ids=bidi_ids,
    )


async def _move(tx: Tx, rule: AssignmentRule, position: int) -> None:
    """Put a rule at a place among the others of its kind; those are numbered anew."""
    others = [
        one.id for one in await list_rules(tx) if one.record_kind is rule.record_kind and one.id != rule.id
    ]
    others.insert(max(0, position - 1), rule.id)
    await tx.execute(
        """
        UPDATE assignment_rules AS r
           SET position = n.position
          FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS n (id, position)
         WHERE r.id = n.id
        """,
        ids=others,
    )
