"""Which permission opens each route: asked before the route runs, and before anything of it is looked up.

Each application has one table, permission by permission; the pages' is in web/permissions.py. What a route can be asked for
without knowing more than its name stands here; what depends on the record is asked for by the action. A route that is
in no table is open to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from api.deps import Caller
from core.errors import Forbidden
from core.principal import Principal

ANYBODY, MEMBERS = "anybody", "every member"
# Of several permissions each opens the route: which of them it takes depends on the kind of record.
READ_RECORDS = "contacts:read | companies:read | leads:read | deals:read"
WRITE_RECORDS = "contacts:write | companies:write | leads:write | deals:write"


@dataclass(frozen=True)
class Doors:
    """The routes of one application, as `GET /path`, with the permissions that open each; none are needed by members."""

    needs: Mapping[str, tuple[str, ...]]
    public: frozenset[str]

    @classmethod
    def read(cls, table: Mapping[str, str]) -> "Doors":
        """From permission -> lines of methods and path."""
        needs: dict[str, tuple[str, ...]] = {}
        for permission, lines in table.items():
            scopes = () if permission in (ANYBODY, MEMBERS) else tuple(permission.split(" | "))
            for line in lines.strip().splitlines():
                *methods, path = line.split()
                needs |= {f"{method} {path}": scopes for method in methods}
        public = frozenset(
            f"{method} {line.split()[-1]}"
            for line in table.get(ANYBODY, "").strip().splitlines()
            for method in line.split()[:-1]
        )
        return cls(needs, public)

    def is_public(self, request: Request) -> bool:
        return _name(request) in self.public

    def require(self, request: Request, principal: Principal) -> None:
        """Raises: Forbidden when the principal holds none of the permissions; RuntimeError for a nameless route."""
        name = _name(request)
        if name not in self.needs:
            raise RuntimeError(
                f"Nobody has said who may {name}; name it in api/permissions.py or web/permissions.py."
            )
        scopes = self.needs[name]
        if scopes and not any(principal.may(scope) for scope in scopes):
            raise Forbidden(
                f"This needs the permission {' or '.join(scopes)}; ask an administrator for it.",
                scope=scopes[0],
            )


def _name(request: Request) -> str:
    # the route itself does not know the prefixes of the routers that it is included in
    included = request.scope.get("fastapi", {}).get("effective_route_context")
    path = included.path_format if included else request.scope["route"].path
    return f"{request.method} {path}"


async def refuse_strangers(request: Request, caller: Caller) -> None:
    """Raises: Forbidden, unless the caller may use the route."""
    API.require(request, caller.principal)


API = Doors.read(
    {
        ANYBODY: """
        GET HEAD /api/openapi.json
        GET /healthz
        GET /metrics
        GET /readyz
        POST /api/v1/auth/refresh
        POST /api/v1/auth/sign-out
        POST /api/v1/auth/tokens
        POST /webhooks/telegram/{account_id}
    """,
        MEMBERS: """
        POST /mcp
        GET /api/v1/api-keys
        GET /api/v1/commissions
        GET /api/v1/api-keys/{api_key_id}
        GET /api/v1/notifications
        POST /api/v1/notifications/reading
        POST /api/v1/notifications/{notification_id}/reading
        GET /api/v1/search
        GET /api/v1/sessions
        POST /api/v1/sessions/{session_id}/revocation
        POST /api/v1/tool-calls
        GET /api/v1/tools
        POST /api/v1/ws-tickets
    """,
        "api_keys:write": """
        POST /api/v1/api-keys
        POST /api/v1/api-keys/{api_key_id}/revocation
    """,
        "bidi:manage": """
        GET /api/v1/partners
        PUT /api/v1/partners/{partner_id}/rate
        POST /api/v1/assignment-rules
        PUT /api/v1/assignment-rules/reassignment
        PATCH DELETE /api/v1/assignment-rules/{assignment_rule_id}
        POST /api/v1/seats
        PUT /api/v1/seats/day-limits
        POST /api/v1/seats/pause
        POST /api/v1/seats/{bidi_id}/archive
        PUT /api/v1/seats/{bidi_id}/autopilot
        POST /api/v1/seats/{bidi_id}/pause
        POST /api/v1/seats/{bidi_id}/resume
    """,
        "bidi:instruct": """
        GET POST /api/v1/runs/{run_id}/replays
        GET /api/v1/runs/{run_id}/replays/{replay_id}
    """,
        "bidi:manage | bidi:instruct": """
        PATCH /api/v1/seats/{bidi_id}
    """,
        "companies:read": """
        GET /api/v1/companies
        GET /api/v1/companies/{company_id}
    """,
        "companies:write": """
        POST /api/v1/companies
        PATCH DELETE /api/v1/companies/{company_id}
        POST /api/v1/companies/{company_id}/restoration
    """,
        "contacts:read": """
        GET /api/v1/contacts
        GET /api/v1/contacts/{contact_id}
        GET /api/v1/contacts/{contact_id}/consents
        GET /api/v1/contacts/{contact_id}/consents/history
        GET /api/v1/contacts/{contact_id}/handles
        GET /api/v1/custom-fields
        GET /api/v1/custom-fields/{custom_field_id}
        GET /api/v1/duplicates
        GET /api/v1/merges
        GET /api/v1/tags
        GET /api/v1/tags/{tag_id}
    """,
        "contacts:read | companies:read": """
        POST /api/v1/merge-previews
        GET /api/v1/merges/{merge_id}
    """,
        READ_RECORDS: """
        GET /api/v1/bulk-edits
        GET /api/v1/bulk-edits/{bulk_edit_id}
        GET /api/v1/bulk-edits/{bulk_edit_id}/records
        GET /api/v1/records/{record_kind}/{record_id}/tags
        GET /api/v1/records/{record_kind}/{record_id}/timeline
        GET /api/v1/saved-views
        GET /api/v1/saved-views/{view_id}
        GET /api/v1/segments
        GET /api/v1/segments/{segment_id}
        GET /api/v1/segments/{segment_id}/count
    """,
        "contacts:write": """
        POST /api/v1/contacts
        PATCH DELETE /api/v1/contacts/{contact_id}
        POST /api/v1/contacts/{contact_id}/consents
        POST /api/v1/contacts/{contact_id}/handles
        DELETE /api/v1/contacts/{contact_id}/handles/{handle_id}
        POST /api/v1/contacts/{contact_id}/handles/{handle_id}/preference
        POST /api/v1/contacts/{contact_id}/restoration
        POST /api/v1/duplicates/{match_id}/dismissal
    """,
        "contacts:write | companies:write": """
        POST /api/v1/merges
        POST /api/v1/merges/{merge_id}/undoing
    """,
        WRITE_RECORDS: """
        POST /api/v1/bulk-edits
        POST /api/v1/bulk-edits/{bulk_edit_id}/cancellation
        POST /api/v1/bulk-edits/{bulk_edit_id}/run
        POST /api/v1/bulk-edits/{bulk_edit_id}/undo
        POST /api/v1/records/{record_kind}/{record_id}/tags
        DELETE /api/v1/records/{record_kind}/{record_id}/tags/{tag_id}
    """,
        "conversations:read": """
        GET /api/v1/approvals
        GET /api/v1/approvals/{approval_id}
        GET /api/v1/conversations
        GET /api/v1/conversations/{conversation_id}
        GET /api/v1/conversations/{conversation_id}/messages
        GET /api/v1/drafts
        GET /api/v1/drafts/{draft_id}
        GET /api/v1/drafts/{draft_id}/evidence
        GET /api/v1/messages/{message_id}
        GET /api/v1/promises
        GET /api/v1/promises/{promise_id}
        GET /api/v1/runs
        GET /api/v1/runs/{run_id}
        GET /api/v1/runs/{run_id}/model-calls/{model_call_id}
        GET /api/v1/runs/{run_id}/steps
        GET /api/v1/runs/{run_id}/tool-calls
        GET /api/v1/suggestions
        GET /api/v1/suggestions/{suggestion_id}
    """,
        "conversations:write": """
        POST /api/v1/conversations/{conversation_id}/agent
        POST /api/v1/conversations/{conversation_id}/person
        POST /api/v1/conversations/{conversation_id}/reading
        POST /api/v1/conversations/{conversation_id}/reopening
        POST /api/v1/conversations/{conversation_id}/resolution
        POST /api/v1/conversations/{conversation_id}/runs
        POST /api/v1/conversations/{conversation_id}/snooze
        GET POST /api/v1/runs/{run_id}/revert
    """,
        "conversations:write | bidi:manage": """
        POST /api/v1/runs/{run_id}/cancellation
    """,
        "crm:read": """
        GET /api/v1/assignment-rules
        GET /api/v1/assignment-rules/reassignment
        POST /api/v1/assignment-rules/trial
        GET /api/v1/assignment-rules/{assignment_rule_id}
        GET /api/v1/seats
        GET /api/v1/seats/day-limits
        GET /api/v1/seats/{bidi_id}
        GET /api/v1/seats/{bidi_id}/autopilot
        GET /api/v1/seats/{bidi_id}/history
        GET /api/v1/seats/{bidi_id}/incidents
    """,
        "deals:read": """
        GET /api/v1/deals
        GET /api/v1/deals/{deal_id}
        GET /api/v1/deals/{deal_id}/stages
        GET /api/v1/deals/{deal_id}/stakeholders
        GET /api/v1/pipelines
        GET /api/v1/pipelines/{pipeline_id}
        GET /api/v1/pipelines/{pipeline_id}/stages
    """,
        "deals:write": """
        POST /api/v1/deals
        PATCH DELETE /api/v1/deals/{deal_id}
        POST /api/v1/deals/{deal_id}/move
        POST /api/v1/deals/{deal_id}/restoration
        POST /api/v1/deals/{deal_id}/stakeholders
        DELETE /api/v1/deals/{deal_id}/stakeholders/{contact_id}
    """,
        "drafts:approve": """
        POST /api/v1/approvals/{approval_id}/approval
        POST /api/v1/approvals/{approval_id}/assignment
        POST /api/v1/approvals/{approval_id}/rejection
        POST /api/v1/approvals/{approval_id}/snooze
        PATCH /api/v1/drafts/{draft_id}
        POST /api/v1/drafts/{draft_id}/approval
        POST /api/v1/drafts/{draft_id}/cancellation
        POST /api/v1/drafts/{draft_id}/check
        POST /api/v1/drafts/{draft_id}/feedback
        POST /api/v1/drafts/{draft_id}/incident
        POST /api/v1/drafts/{draft_id}/rejection
        POST /api/v1/drafts/{draft_id}/snooze
        POST /api/v1/suggestions/{suggestion_id}/acceptance
        POST /api/v1/suggestions/{suggestion_id}/dismissal
    """,
        "facts:write": """
        POST /api/v1/promises/{promise_id}/dropping
        POST /api/v1/promises/{promise_id}/keeping
    """,
        "fields:write": """
        POST /api/v1/custom-fields
        PATCH /api/v1/custom-fields/{custom_field_id}
        POST /api/v1/custom-fields/{custom_field_id}/archival
        POST /api/v1/custom-fields/{custom_field_id}/restoration
        POST /api/v1/tags
        PATCH DELETE /api/v1/tags/{tag_id}
        POST /api/v1/tags/{tag_id}/merge
    """,
        "files:read": """
        GET /api/v1/files
        GET /api/v1/files/{file_id}
    """,
        "files:write": """
        POST /api/v1/files/{file_id}/removal
        POST /api/v1/files/{file_id}/restoration
    """,
        "imports:write": """
        GET POST /api/v1/imports
        GET PATCH /api/v1/imports/{import_id}
        POST /api/v1/imports/{import_id}/cancellation
        POST /api/v1/imports/{import_id}/check
        POST /api/v1/imports/{import_id}/pause
        POST /api/v1/imports/{import_id}/resumption
        GET /api/v1/imports/{import_id}/rows
        POST /api/v1/imports/{import_id}/run
        POST /api/v1/imports/{import_id}/undo
    """,
        "leads:read": """
        GET /api/v1/leads
        GET /api/v1/leads/{lead_id}
        GET /api/v1/leads/{lead_id}/stages
    """,
        "leads:write": """
        POST /api/v1/leads
        PATCH DELETE /api/v1/leads/{lead_id}
        POST /api/v1/leads/{lead_id}/conversion
        POST /api/v1/leads/{lead_id}/move
        POST /api/v1/leads/{lead_id}/restoration
    """,
        "meetings:read": """
        GET /api/v1/meetings
        GET /api/v1/meetings/{meeting_id}
    """,
        "meetings:write": """
        POST /api/v1/meetings
        PATCH /api/v1/meetings/{meeting_id}
        POST /api/v1/meetings/{meeting_id}/removal
        POST /api/v1/meetings/{meeting_id}/restoration
        POST /api/v1/meetings/{meeting_id}/status
    """,
        "messages:send": """
        POST /api/v1/conversations/{conversation_id}/holder
        POST /api/v1/conversations/{conversation_id}/messages
    """,
        "notes:read": """
        GET /api/v1/notes
        GET /api/v1/notes/{note_id}
    """,
        "notes:write": """
        POST /api/v1/notes
        PATCH /api/v1/notes/{note_id}
        POST /api/v1/notes/{note_id}/removal
        POST /api/v1/notes/{note_id}/restoration
    """,
        "pipelines:write": """
        POST /api/v1/pipelines
        PATCH /api/v1/pipelines/{pipeline_id}
        POST /api/v1/pipelines/{pipeline_id}/order
        POST /api/v1/pipelines/{pipeline_id}/stages
        PATCH /api/v1/stages/{stage_id}
        POST /api/v1/stages/{stage_id}/removal
    """,
        "records:export": """
        GET /api/v1/exports
    """,
        "tasks:read": """
        GET /api/v1/tasks
        GET /api/v1/tasks/{task_id}
    """,
        "tasks:write": """
        POST /api/v1/tasks
        PATCH /api/v1/tasks/{task_id}
        POST /api/v1/tasks/{task_id}/completion
        POST /api/v1/tasks/{task_id}/removal
        POST /api/v1/tasks/{task_id}/reopening
        POST /api/v1/tasks/{task_id}/restoration
    """,
        "organization:read": """
        GET /api/v1/organization
    """,
        "organization:transfer": """
        POST /api/v1/organization/transfer
    """,
        "organization:delete": """
        GET POST DELETE /api/v1/organization/deletion
    """,
        "organization:write": """
        PATCH /api/v1/organization
        GET PUT DELETE /api/v1/organization/identity-provider
    """,
        "team:manage": """
        GET POST /api/v1/invitations
        GET /api/v1/invitations/{invitation_id}
        POST /api/v1/invitations/{invitation_id}/resending
        POST /api/v1/invitations/{invitation_id}/revocation
        POST /api/v1/members/{member_id}/disabling
        POST /api/v1/members/{member_id}/enabling
        POST /api/v1/members/{member_id}/removal
        PUT /api/v1/members/{member_id}/role
        POST /api/v1/teams
        PATCH DELETE /api/v1/teams/{team_id}
    """,
        "team:read": """
        GET /api/v1/members
        GET /api/v1/members/{member_id}
        GET /api/v1/roles
        GET /api/v1/teams
        GET /api/v1/teams/{team_id}
    """,
        "views:write": """
        POST /api/v1/saved-views
        PATCH DELETE /api/v1/saved-views/{view_id}
        POST /api/v1/saved-views/{view_id}/restoration
        POST /api/v1/segments
        PATCH DELETE /api/v1/segments/{segment_id}
        POST /api/v1/segments/{segment_id}/restoration
    """,
        "privacy:manage": """
        GET POST /api/v1/privacy-requests
        GET /api/v1/privacy-requests/{privacy_request_id}
        POST /api/v1/privacy-requests/{privacy_request_id}/confirmation
        POST /api/v1/privacy-requests/{privacy_request_id}/cancellation
        POST /api/v1/privacy-requests/{privacy_request_id}/allowance
        """,
        "audit:read": """
        GET /api/v1/audit/chain
        GET /api/v1/audit/entries
        GET /api/v1/audit/entries/{event_id}
        POST /api/v1/audit/verifications
        GET /api/v1/audit/verifications/{audit_verification_id}
        """,
        "webhooks:manage": """
        GET /api/v1/webhook-deliveries/{webhook_delivery_id}
        GET /api/v1/webhook-deliveries/{webhook_delivery_id}/attempts
        POST /api/v1/webhook-deliveries/{webhook_delivery_id}/retry
        GET POST /api/v1/webhooks
        GET PATCH DELETE /api/v1/webhooks/{webhook_id}
        GET /api/v1/webhooks/{webhook_id}/deliveries
        POST /api/v1/webhooks/{webhook_id}/secret
        POST /api/v1/webhooks/{webhook_id}/test
    """,
    }
)
