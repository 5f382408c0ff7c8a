"""Verifies the audit chains of this copy of the product."""

from dataclasses import dataclass
from functools import partial

from core.db import Database
from core.errors import NotFound
from core.principal import system
from core.settings import Settings
from crm.audit.anchors import Anchors
from crm.audit.chain import key_of
from crm.audit.verifying import Broken, Fault, Verdict
from crm.audit.verifying import verify as verify_chain
from crm.identity.queries import get_organization, list_organization_ids

_SAID = {
    Fault.EVENT_DELETED: "the event {event} was deleted",
    Fault.EVENT_CHANGED: "the event {event}, its link or its place is not what was sealed",
    Fault.EVENT_INSERTED: "the event {event} was put in past the product and is in no link",
    Fault.LINK_DELETED: "the link is missing",
    Fault.VALUES_CHANGED: "the values of the event {event} are not those that were sealed",
    Fault.VALUES_DELETED: "the values of the event {event} were taken away, and by no erasure",
    Fault.VALUES_INSERTED: "values were put beside the event {event}, which had none",
    Fault.CHAIN_CUT: "the chain ends too early: line {line} of the anchors knows of more",
    Fault.CHAIN_REWRITTEN: "the chain is not the one of line {line} of the anchors",
    Fault.ANCHOR_CHANGED: "line {line} of the anchors is not what was written",
    Fault.ANCHORS_DELETED: "there is no anchor from here on, although there must be by now",
    Fault.NOT_DONE: "the chain could not be walked over",
    Fault.OTHER_KEY: "the anchors were made with another key; set GETSALE_AUDIT_KEY to that one",
}


@dataclass(frozen=True)
class Told:
    """The verdict on one organization."""

    organization: str
    verdict: Verdict

    def to_json(self) -> dict[str, object]:
        broken = self.verdict.broken
        return {
            "organization": self.organization,
            "sealed": self.verdict.sealed,
            "waiting": self.verdict.waiting,
            "erased": self.verdict.erased,
            "anchors": self.verdict.anchors,
            "anchored_at": self.verdict.anchored_at and self.verdict.anchored_at.isoformat(),
            "head": self.verdict.head.hex(),
            "broken": broken
            and {
                "fault": broken.fault,
                "position": broken.position,
                "event_id": broken.event_id and str(broken.event_id),
                "line": broken.line,
                "detail": describe(broken),
            },
        }

    def __str__(self) -> str:
        told = self.verdict
        whole = f"{self.organization}: {told.sealed} events sealed, {told.waiting} waiting, {told.anchors} anchors"
        return f"{whole}: {describe(told.broken) if told.broken else 'whole'}"


def describe(broken: Broken) -> str:
    """The place and what is wrong with it, in one clause."""
    said = _SAID[broken.fault].format(event=broken.event_id, line=broken.line)
    return f"BROKEN at position {broken.position}: {said}" if broken.position else f"BROKEN: {said}"


async def verify(settings: Settings, slug: str = "") -> list[Told]:
    """Every organization, or the one with this slug. Raises: NotFound."""
    db = await Database(settings.database_url_worker, size=2).open()
    try:
        found = []
        for organization_id in await list_organization_ids(db):
            principal = system(organization_id)
            async with db.transaction(principal, "audit.organization") as tx:
                organization = await get_organization(tx)
            if slug and organization.slug != slug:
                continue
            verdict = await verify_chain(
                partial(db.transaction, principal, "audit.verify", is_read_only=True),
                key_of(settings.sealing_key, organization_id),
                organization_id,
                Anchors(settings.data),
            )
            found.append(Told(organization.slug, verdict))
    finally:
        await db.close()
    if slug and not found:
        raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
    return found
