"""Erases once more, after a backup was restored, whoever was erased since it was made."""

from dataclasses import dataclass
from functools import partial

from core.errors import NotFound
from core.settings import Settings
from crm.contacts import erased
from crm.identity.queries import get_organization, list_organization_ids
from crm.privacy import actions as privacy
from crm.privacy.journal import Journal
from infra.operators import operator
from worker import services
from worker.erasing import Desk, repeat
from worker.privacy import held_by_law


@dataclass(frozen=True)
class Repeated:
    """What became of the erasures of one organization."""

    organization: str
    erasures: int
    left_over: int

    def to_json(self) -> dict[str, object]:
        return vars(self)

    def __str__(self) -> str:
        return f"{self.organization}: {self.erasures} erasures repeated, {self.left_over} rows left"


async def reapply(settings: Settings, slug: str = "") -> list[Repeated]:
    """Every line of the journals, in every organization or the one with this slug. Raises: NotFound; Unprocessable."""
    told = []
    async with services.build(settings) as built:
        for organization_id in await list_organization_ids(built.db):
            principal = operator(organization_id)
            async with built.db.transaction(principal, "privacy.organization") as tx:
                organization = await get_organization(tx)
            if slug and organization.slug != slug:
                continue
            key = erased.key_of(settings.sealing_key, organization_id)
            erasures = await Journal(settings.data).read(organization_id, key)
            desk = Desk(
                settings,
                principal,
                partial(built.db.transaction, principal),
                built.blobs,
                built.graph,
            )
            left_over = 0
            for erasure in erasures:
                left = await repeat(desk, erasure)
                left_over += left.total
                async with desk.transaction("report") as tx:
                    await privacy.finish_erasure(
                        tx, erasure.request_id, left.led + left.quoted, held_by_law(settings)
                    )
            told.append(Repeated(organization.slug, len(erasures), left_over))
    if slug and not told:
        raise NotFound(f"There is no organization {slug}; give its slug with --organization.")
    return told
