"""Which permission opens each page and each of its forms; api/permissions.py says how that is asked."""

from fastapi import Request

from api.deps import MaybeAccount
from api.permissions import ANYBODY, MEMBERS, READ_RECORDS, WRITE_RECORDS, Doors
from core.errors import Unauthorized

_WRITE_ANYTHING = (
    f"{WRITE_RECORDS} | tasks:write | meetings:write | notes:write | files:write | knowledge:write"
)


async def refuse_strangers(request: Request, account: MaybeAccount) -> None:
    """Raises: Unauthorized when nobody is signed in; Forbidden, unless their role opens the page."""
    if PAGES.is_public(request):
        return
    if account is None:
        raise Unauthorized("Nobody is signed in; sign in first.")
    PAGES.require(request, account.principal)


PAGES = Doors.read(
    {
        ANYBODY: """
        GET /
        GET /design
        GET /mails
        GET POST /password/forgotten
        GET POST /password/new
        GET /join/{secret}
        POST /join/{secret}/account
        POST /preferences
        POST /session
        GET POST /session/code
        GET /session/new
        POST /session/issuer
        GET /session/issuer/return
        GET POST /session/issuer/link
        GET /session/organization/{slug}
        GET POST /sign-up
        GET POST /sign-up/confirmation
    """,
        MEMBERS: """
        GET POST /copilot
        GET /copilot/chats
        GET /copilot/questions/{question_id}
        POST /copilot/questions/{question_id}/cancellation
        GET /copilot/{chat_id}
        POST /copilot/{chat_id}/questions
        POST /copilot/{chat_id}/removal
        GET /live/copilot/{chat_id}
        GET /notifications
        GET /preferences
        GET /notifications/bell
        POST /notifications/reading
        POST /notifications/{notification_id}/reading
        GET /search
        GET /search/palette
        GET POST /profile
        POST /profile/password
        POST /profile/identities
        GET /commissions
        POST /profile/identities/{identity_id}/removal
        GET POST /profile/second-factor
        POST /profile/second-factor/confirmation
        POST /profile/second-factor/recovery-codes
        POST /profile/second-factor/removal
        POST /session/end
        GET /sessions
        POST /sessions/revocation
        POST /sessions/{session_id}/revocation
        POST /join/{secret}
        GET POST /organizations
        POST /organizations/{organization_id}/entry
        GET /settings
        GET /settings/api-keys
        GET /trash
    """,
        "api_keys:write": """
        POST /settings/api-keys
        POST /settings/api-keys/{api_key_id}/revocation
    """,
        "bidi:instruct": """
        POST /runs/{run_id}/replays
        GET /runs/{run_id}/replays/new
        GET /runs/{run_id}/replays/{replay_id}
    """,
        "bidi:manage": """
        POST /commissions/{partner_id}/rate
        POST /assignment
        POST /assignment/reassignment
        POST /assignment/{assignment_rule_id}
        POST /assignment/{assignment_rule_id}/removal
        POST /seats
        POST /seats/day-limits
        GET /seats/new
        POST /seats/pause
        POST /seats/{bidi_id}/archive
        POST /seats/{bidi_id}/demotion
        POST /seats/{bidi_id}/pause
        POST /seats/{bidi_id}/promotion
        POST /seats/{bidi_id}/resume
    """,
        "bidi:manage | bidi:instruct": """
        POST /seats/{bidi_id}
    """,
        "companies:read": """
        GET /companies
        GET /companies/{record_id}
        GET /companies/{record_id}/cells/{name}
        GET /companies/{record_id}/fields/{name}
        GET /companies/{record_id}/row
    """,
        "companies:write": """
        POST /companies
        GET /companies/new
        POST /companies/{record_id}/cells/{name}
        POST /companies/{record_id}/fields/{name}
        POST /companies/{record_id}/removal
        POST /companies/{record_id}/restoration
        POST /companies/{record_id}/tags
        POST /companies/{record_id}/tags/{tag_id}/removal
    """,
        "contacts:read": """
        GET /contacts/{contact_id}/consents
        GET /contacts
        GET /contacts/{record_id}
        GET /contacts/{record_id}/cells/{name}
        GET /contacts/{record_id}/fields/{name}
        GET /contacts/{record_id}/row
        GET /duplicates
        GET /merges
        GET /settings/fields
        GET /settings/fields/{custom_field_id}
        GET /settings/tags
        GET /settings/tags/{tag_id}
    """,
        "contacts:read | companies:read": """
        GET /merges/new
        GET /merges/{merge_id}
    """,
        READ_RECORDS: """
        GET /bulk-edits
        GET /bulk-edits/{bulk_edit_id}
        GET /live/records
        GET /records/{record_kind}/{record_id}/{part}
        GET /search/records
        GET /segments
        GET /segments/{segment_id}
    """,
        "contacts:write": """
        POST /contacts
        GET /contacts/new
        POST /contacts/{contact_id}/consents
        POST /contacts/{contact_id}/handles
        POST /contacts/{contact_id}/handles/{handle_id}/preference
        POST /contacts/{contact_id}/handles/{handle_id}/removal
        POST /contacts/{record_id}/cells/{name}
        POST /contacts/{record_id}/fields/{name}
        POST /contacts/{record_id}/removal
        POST /contacts/{record_id}/restoration
        POST /contacts/{record_id}/tags
        POST /contacts/{record_id}/tags/{tag_id}/removal
        POST /duplicates/{match_id}/dismissal
    """,
        "contacts:write | companies:write": """
        POST /merges
        POST /merges/{merge_id}/undoing
    """,
        WRITE_RECORDS: """
        POST /bulk-edits
        POST /bulk-edits/{bulk_edit_id}/cancellation
        POST /bulk-edits/{bulk_edit_id}/changes
        POST /bulk-edits/{bulk_edit_id}/run
        POST /bulk-edits/{bulk_edit_id}/undo
    """,
        _WRITE_ANYTHING: """
        POST /trash/{record_kind}/{record_id}/restoration
    """,
        "conversations:read": """
        GET /approvals
        GET /approvals/{approval_id}
        GET /attachments/{attachment_id}
        GET /inbox
        GET /inbox/{conversation_id}
        GET /live
        GET /mails/{message_id}
        GET /runs
        GET /runs/{run_id}
        GET /suggestions
        GET /suggestions/{suggestion_id}
    """,
        "conversations:write": """
        POST /conversations/{conversation_id}/person
        POST /conversations/{conversation_id}/reading
        POST /conversations/{conversation_id}/reopening
        POST /conversations/{conversation_id}/resolution
        POST /conversations/{conversation_id}/snooze
        GET POST /runs/{run_id}/revert
    """,
        "crm:read": """
        GET /assignment
        GET /live/changes
        GET /policy
        GET /seats
        GET /seats/{bidi_id}
    """,
        "deals:read": """
        GET /deals
        GET /deals/table
        GET /deals/table/{record_id}/cells/{name}
        GET /deals/table/{record_id}/row
        GET /deals/{record_id}
        GET /deals/{record_id}/fields/{name}
        GET /pipelines
        GET /pipelines/{pipeline_id}
    """,
        "deals:write": """
        POST /deals
        GET /deals/new
        POST /deals/table/{record_id}/cells/{name}
        POST /deals/{deal_id}/stage
        POST /deals/{deal_id}/stakeholders
        POST /deals/{deal_id}/stakeholders/{contact_id}
        POST /deals/{record_id}/fields/{name}
        GET POST /deals/{record_id}/move
        POST /deals/{record_id}/removal
        POST /deals/{record_id}/restoration
        POST /deals/{record_id}/tags
        POST /deals/{record_id}/tags/{tag_id}/removal
    """,
        "drafts:approve": """
        POST /approvals/{approval_id}/approval
        POST /approvals/{approval_id}/assignment
        POST /approvals/{approval_id}/rejection
        POST /approvals/{approval_id}/snooze
        POST /drafts/{draft_id}/approval
        POST /drafts/{draft_id}/check
        POST /drafts/{draft_id}/feedback
        POST /drafts/{draft_id}/incident
        POST /drafts/{draft_id}/rejection
        POST /drafts/{draft_id}/revision
        POST /drafts/{draft_id}/snooze
        POST /seats/{bidi_id}/incidents
        POST /suggestions/{suggestion_id}/acceptance
        POST /suggestions/{suggestion_id}/dismissal
    """,
        "evaluations:read": """
        GET /evaluations
        GET /evaluations/cases/{eval_case_id}
        GET /evaluations/{eval_run_id}
        GET /evaluations/{eval_run_id}/comparison
    """,
        "facts:read": """
        GET /contacts/{contact_id}/relationships
    """,
        "facts:write": """
        POST /companies/{record_id}/facts/{fact_id}/confirmation
        POST /companies/{record_id}/facts/{fact_id}/retraction
        POST /contacts/{record_id}/facts/{fact_id}/confirmation
        POST /contacts/{record_id}/facts/{fact_id}/retraction
        POST /deals/{record_id}/facts/{fact_id}/confirmation
        POST /deals/{record_id}/facts/{fact_id}/retraction
        POST /facts/{fact_id}/confirmation
        POST /leads/{record_id}/facts/{fact_id}/confirmation
        POST /leads/{record_id}/facts/{fact_id}/retraction
    """,
        "fields:write": """
        POST /settings/fields
        POST /settings/fields/{custom_field_id}
        POST /settings/fields/{custom_field_id}/archival
        POST /settings/fields/{custom_field_id}/place
        POST /settings/fields/{custom_field_id}/restoration
        POST /settings/tags
        POST /settings/tags/{tag_id}
        POST /settings/tags/{tag_id}/merge
        POST /settings/tags/{tag_id}/removal
    """,
        "files:read": """
        GET /files/{file_id}/content
    """,
        "files:write": """
        POST /files/{file_id}/removal
        POST /files/{file_id}/restoration
        POST /records/{record_kind}/{record_id}/files
    """,
        "imports:write": """
        GET POST /imports
        GET /imports/refusal
        GET /imports/{import_id}
        POST /imports/{import_id}/cancellation
        POST /imports/{import_id}/kind
        POST /imports/{import_id}/mapping
        POST /imports/{import_id}/pause
        POST /imports/{import_id}/reading
        GET /imports/{import_id}/reasons.csv
        POST /imports/{import_id}/resumption
        POST /imports/{import_id}/revision
        POST /imports/{import_id}/run
        POST /imports/{import_id}/undo
    """,
        "knowledge:read": """
        GET /knowledge
        GET /knowledge/answers
        GET /knowledge/{document_id}
        GET /knowledge/{document_id}/versions/{number}/file
    """,
        "knowledge:write": """
        POST /knowledge
        POST /knowledge/{document_id}/audience
        POST /knowledge/{document_id}/removal
        POST /knowledge/{document_id}/restoration
        POST /knowledge/{document_id}/versions
    """,
        "leads:read": """
        GET /leads
        GET /leads/{record_id}
        GET /leads/{record_id}/cells/{name}
        GET /leads/{record_id}/fields/{name}
        GET /leads/{record_id}/row
    """,
        "leads:write": """
        POST /leads
        GET /leads/new
        POST /leads/{lead_id}/conversion
        POST /leads/{record_id}/cells/{name}
        POST /leads/{record_id}/fields/{name}
        GET POST /leads/{record_id}/move
        POST /leads/{record_id}/removal
        POST /leads/{record_id}/restoration
        POST /leads/{record_id}/tags
        POST /leads/{record_id}/tags/{tag_id}/removal
    """,
        "meetings:read": """
        GET /meetings
        GET /meetings/{meeting_id}
    """,
        "meetings:write": """
        POST /meetings
        POST /meetings/{meeting_id}/removal
        POST /meetings/{meeting_id}/restoration
        POST /meetings/{meeting_id}/revisions
        POST /meetings/{meeting_id}/status
    """,
        "messages:send": """
        POST /conversations/{conversation_id}/holder
        POST /conversations/{conversation_id}/messages
    """,
        "notes:write": """
        POST /notes/{note_id}/removal
        POST /notes/{note_id}/restoration
        POST /notes/{note_id}/revisions
        POST /records/{record_kind}/{record_id}/notes
    """,
        "pipelines:write": """
        POST /pipelines
        POST /pipelines/{pipeline_id}
        POST /pipelines/{pipeline_id}/stages
        POST /pipelines/{pipeline_id}/stages/{stage_id}
        POST /pipelines/{pipeline_id}/stages/{stage_id}/place
        POST /pipelines/{pipeline_id}/stages/{stage_id}/removal
        POST /pipelines/{pipeline_id}/stages/{stage_id}/rules
        POST /pipelines/{pipeline_id}/stages/{stage_id}/rules/removal
        POST /pipelines/{pipeline_id}/transitions
        POST /pipelines/{pipeline_id}/transitions/{transition_id}/removal
    """,
        "policy:manage": """
        POST /policy
    """,
        "records:export": """
        GET /exports/{kind}.{form}
    """,
        "tasks:read": """
        GET /tasks
        GET /tasks/{task_id}
    """,
        "tasks:write": """
        POST /contacts/{contact_id}/tasks
        POST /tasks
        POST /tasks/{task_id}/completion
        POST /tasks/{task_id}/removal
        POST /tasks/{task_id}/reopening
        POST /tasks/{task_id}/restoration
        POST /tasks/{task_id}/revisions
    """,
        "organization:read": """
        GET /settings/organization
        GET /first-steps
    """,
        "organization:transfer": """
        POST /settings/organization/transfer
    """,
        "organization:delete": """
        POST /settings/organization/deletion
        POST /settings/organization/deletion/end
    """,
        "organization:write": """
        POST /settings/organization
        POST /first-steps/end
        GET POST /settings/sign-in
        POST /settings/sign-in/removal
    """,
        "team:manage": """
        POST /settings/members/invitations
        POST /settings/members/invitations/{invitation_id}/resending
        POST /settings/members/invitations/{invitation_id}/revocation
        POST /settings/members/{member_id}/disabling
        POST /settings/members/{member_id}/enabling
        POST /settings/members/{member_id}/removal
        POST /settings/members/{member_id}/role
        POST /settings/teams
        POST /settings/teams/{team_id}
        POST /settings/teams/{team_id}/removal
    """,
        "team:read": """
        GET /settings/members
        GET /settings/members/{member_id}
        GET /settings/roles
        GET /settings/teams
        GET /settings/teams/{team_id}
    """,
        "views:write": """
        POST /segments
        POST /segments/editing
        GET /segments/new
        POST /segments/{segment_id}
        POST /segments/{segment_id}/removal
        POST /segments/{segment_id}/restoration
        POST /views
        POST /views/{view_id}/content
        POST /views/{view_id}/naming
        POST /views/{view_id}/removal
        POST /views/{view_id}/restoration
    """,
        "privacy:manage": """
        GET POST /settings/privacy
        GET /settings/privacy/{privacy_request_id}
        POST /settings/privacy/{privacy_request_id}/confirmation
        POST /settings/privacy/{privacy_request_id}/cancellation
        POST /settings/privacy/{privacy_request_id}/allowance
        GET /settings/privacy/{privacy_export_id}/file
        """,
        "audit:read": """
        GET /audit
        GET /audit/entries.{form}
        POST /audit/verifications
        """,
        "webhooks:manage": """
        GET POST /settings/webhooks
        GET /settings/webhooks/deliveries/{webhook_delivery_id}
        POST /settings/webhooks/deliveries/{webhook_delivery_id}/retry
        GET POST /settings/webhooks/{webhook_id}
        POST /settings/webhooks/{webhook_id}/removal
        POST /settings/webhooks/{webhook_id}/secret
        POST /settings/webhooks/{webhook_id}/state
        POST /settings/webhooks/{webhook_id}/test
    """,
    }
)
