"""Version 1 of the JSON API: its nouns, and what holds for every call."""

from fastapi import APIRouter, Depends

from api.answers import answer_once
from api.deps import get_caller, refuse_other_sites
from api.errors import ALWAYS, problems
from api.fields import require_json
from api.permissions import refuse_strangers
from api.routes import (
    api_keys,
    approvals,
    assignment,
    audit,
    auth,
    autopilot,
    bulk_edits,
    commissions,
    companies,
    consents,
    contacts,
    conversations,
    custom_fields,
    deals,
    drafts,
    exports,
    files,
    identity_provider,
    imports,
    invitations,
    leads,
    meetings,
    members,
    merges,
    messages,
    notes,
    notifications,
    organization,
    pipelines,
    privacy_requests,
    promises,
    records,
    replays,
    runs,
    search,
    seats,
    segments,
    sessions,
    suggestions,
    tags,
    tasks,
    teams,
    tools,
    views,
    webhooks,
    ws_tickets,
)

router = APIRouter(
    prefix="/api/v1",
    # in this order: who calls, whether they may, and a call's transaction begins after its key was claimed
    dependencies=[
        Depends(get_caller),
        Depends(refuse_strangers),
        Depends(require_json),
        Depends(answer_once, scope="function"),
    ],
    responses=problems(*ALWAYS),
)
NOUNS = (
    conversations,
    messages,
    drafts,
    approvals,
    suggestions,
    promises,
    runs,
    replays,
    tools,
    seats,
    commissions,
    autopilot,
    assignment,
    contacts,
    consents,
    companies,
    custom_fields,
    tags,
    imports,
    invitations,
    exports,
    pipelines,
    privacy_requests,
    leads,
    deals,
    merges,
    search,
    records,
    notes,
    tasks,
    meetings,
    members,
    teams,
    organization,
    identity_provider,
    files,
    notifications,
    segments,
    views,
    bulk_edits,
    api_keys,
    sessions,
    webhooks,
    audit,
    ws_tickets,
)
for noun in NOUNS:
    router.include_router(noun.router)
router.include_router(pipelines.stages_router)
router.include_router(commissions.partners_router)

# What leads in: whoever calls has nothing yet by which they could be known.
doors = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(refuse_other_sites), Depends(require_json)],
    responses=problems(*ALWAYS),
)
doors.include_router(auth.router)
router.include_router(members.roles_router)
