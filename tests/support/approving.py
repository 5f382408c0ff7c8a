"""Pressing Approve as people do: again, when the page died in between."""

import httpx2

from crm.drafts.models import Draft, DraftStatus
from crm.drafts.queries import get_draft
from events.ids import DraftId
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor


async def press_approve(stage: Stage, visitor: Visitor, draft_id: DraftId, seconds: float) -> None:
    """Press Approve until the page has answered; a page that died in between is asked again."""

    async def approved() -> Draft | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            draft = await get_draft(tx, draft_id)
        if draft.status is DraftStatus.PENDING:
            try:
                await visitor.post(f"/drafts/{draft_id}/approval", version=str(draft.version))
            except httpx2.HTTPError:
                return None
        return draft if draft.status is DraftStatus.APPROVED else None

    await until(approved, seconds)
