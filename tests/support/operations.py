"""Every operation of the API with a call that succeeds; a test fails when one of the document has no case."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core import clock
from tests.support.organizations import PASSWORD

TOMORROW = (clock.now() + timedelta(days=1)).isoformat()
TOMORROW_LATER = (clock.now() + timedelta(days=1, hours=1)).isoformat()


@dataclass(frozen=True)
class Operation:
    """One call. `scope` is what a viewer lacks for it, if anything; `first` are operations that must go before.

    What `is_managed` is not there for those who do not manage it: they see their own only. `listed` is how many a desk has of what a list shows.
    """

    name: str
    method: str
    path: str
    body: dict[str, object] | None = None
    status: int = 200
    scope: str = ""
    first: tuple[str, ...] = ()
    is_managed: bool = False
    listed: int = 1

    @property
    def is_about_one(self) -> bool:
        """Whether the path names a record."""
        return "{" in self.path

    def at(self, ids: Mapping[str, object]) -> str:
        """The path about these records; one of any kind is a contact."""
        return self.path.format(record_kind="contact", **ids)


_CONVERSATION = "/conversations/{conversation_id}"
_DRAFT = "/drafts/{draft_id}"
_APPROVAL = "/approvals/{approval_id}"
_SUGGESTION, _PROMISE = "/suggestions/{suggestion_id}", "/promises/{promise_id}"
_WEBHOOK = "/webhooks/{webhook_id}"
_DELETION = "/organization/deletion"
_PROVIDER = "/organization/identity-provider"
_MEMBER, _INVITATION, _TEAM = "/members/{member_id}", "/invitations/{invitation_id}", "team:manage"
_ONE_TEAM = "/teams/{team_id}"
_SEAT, _SEATS = "/seats/{bidi_id}", "bidi:manage"
_INSTRUCT = "bidi:instruct"
_RULE = "/assignment-rules/{assignment_rule_id}"
_DELIVERY = "/webhook-deliveries/{webhook_delivery_id}"
_HOOKS = "webhooks:manage"
_PRIVACY_REQUEST, _PRIVACY = "/privacy-requests/{privacy_request_id}", "privacy:manage"
_VERSION: dict[str, object] = {"version": 1}
_BULK = "/bulk-edits/{bulk_edit_id}"
_TABLE, _TABLES = "/imports/{import_id}", "imports:write"
_CONTACT, _COMPANY = "/contacts/{contact_id}", "/companies/{company_id}"
_FIELD, _TAG, _FIELDS = "/custom-fields/{custom_field_id}", "/tags/{tag_id}", "fields:write"
_TAGS_OF_RECORD = "/records/{record_kind}/{record_id}/tags"
_RECORD: dict[str, object] = {"record_kind": "contact", "record_id": "{contact_id}"}
_PAIR: dict[str, object] = {
    "record_kind": "contact", "kept_id": "{contact_id}", "merged_id": "{other_contact_id}",
}  # fmt: skip

OPERATIONS = (
    Operation("list_conversations", "GET", "/conversations"),
    Operation("get_conversation", "GET", _CONVERSATION),
    Operation("mark_conversation_read", "POST", f"{_CONVERSATION}/reading", scope="conversations:write"),
    Operation(
        "snooze_conversation",
        "POST",
        f"{_CONVERSATION}/snooze",
        {"until": TOMORROW},
        scope="conversations:write",
    ),
    Operation("resolve_conversation", "POST", f"{_CONVERSATION}/resolution", scope="conversations:write"),
    Operation(
        "reopen_conversation",
        "POST",
        f"{_CONVERSATION}/reopening",
        scope="conversations:write",
        first=("resolve_conversation",),
    ),
    Operation("take_over_conversation", "POST", f"{_CONVERSATION}/holder", scope="messages:send"),
    Operation(
        "give_conversation_to_agent",
        "POST",
        f"{_CONVERSATION}/agent",
        {"bidi_id": "{bidi_id}"},
        scope="conversations:write",
        first=("take_over_conversation",),
    ),
    Operation(
        "give_conversation_to_person",
        "POST",
        f"{_CONVERSATION}/person",
        {"member_id": "{member_id}"},
        status=204,
        scope="conversations:write",
    ),
    Operation("list_messages", "GET", f"{_CONVERSATION}/messages"),
    Operation(
        "compose_message",
        "POST",
        f"{_CONVERSATION}/messages",
        {"body": "I will call you."},
        status=201,
        scope="messages:send",
    ),
    Operation("get_message", "GET", "/messages/{message_id}"),
    Operation("list_drafts", "GET", "/drafts"),
    Operation("get_draft", "GET", _DRAFT),
    Operation("list_evidence", "GET", f"{_DRAFT}/evidence"),
    Operation("edit_draft", "PATCH", _DRAFT, {**_VERSION, "body": "It costs €16."}, scope="drafts:approve"),
    Operation("approve_draft", "POST", f"{_DRAFT}/approval", _VERSION, scope="drafts:approve"),
    Operation("check_draft", "POST", f"{_DRAFT}/check", _VERSION, scope="drafts:approve"),
    Operation("reject_draft", "POST", f"{_DRAFT}/rejection", _VERSION, scope="drafts:approve"),
    Operation(
        "respond_to_draft",
        "POST",
        f"{_DRAFT}/feedback",
        {**_VERSION, "feedback": "Shorter."},
        scope="drafts:approve",
    ),
    Operation(
        "snooze_draft", "POST", f"{_DRAFT}/snooze", {**_VERSION, "until": TOMORROW}, scope="drafts:approve"
    ),
    Operation(
        "cancel_scheduled_send",
        "POST",
        f"{_DRAFT}/cancellation",
        scope="drafts:approve",
        first=("approve_draft",),
    ),
    Operation("list_approvals", "GET", "/approvals", listed=2),
    Operation("get_approval", "GET", _APPROVAL),
    Operation(
        "approve_tool_call", "POST", f"{_APPROVAL}/approval", {"is_checked": True}, scope="drafts:approve"
    ),
    Operation(
        "reject_tool_call", "POST", f"{_APPROVAL}/rejection", {"reason": "No."}, scope="drafts:approve"
    ),
    Operation("snooze_tool_call", "POST", f"{_APPROVAL}/snooze", {"until": TOMORROW}, scope="drafts:approve"),
    Operation(
        "assign_approval",
        "POST",
        f"{_APPROVAL}/assignment",
        {"assignee_id": "{user_id}"},
        scope="drafts:approve",
    ),
    Operation("list_suggestions", "GET", "/suggestions"),
    Operation("get_suggestion", "GET", _SUGGESTION),
    Operation(
        "accept_suggestion", "POST", f"{_SUGGESTION}/acceptance", {"is_checked": True}, scope="drafts:approve"
    ),
    Operation(
        "dismiss_suggestion", "POST", f"{_SUGGESTION}/dismissal", {"reason": "No."}, scope="drafts:approve"
    ),
    Operation("list_promises", "GET", "/promises"),
    Operation("get_promise", "GET", _PROMISE),
    Operation("keep_promise", "POST", f"{_PROMISE}/keeping", scope="facts:write"),
    Operation("drop_promise", "POST", f"{_PROMISE}/dropping", scope="facts:write"),
    Operation("list_runs", "GET", "/runs"),
    Operation("get_run", "GET", "/runs/{run_id}"),
    Operation("list_tool_calls", "GET", "/runs/{run_id}/tool-calls"),
    Operation("get_run_steps", "GET", "/runs/{run_id}/steps"),
    Operation("get_model_exchange", "GET", "/runs/{run_id}/model-calls/{model_call_id}"),
    Operation(
        "preview_revert", "GET", "/runs/{run_id}/revert", scope="conversations:write", first=("cancel_run",)
    ),
    Operation(
        "revert_run", "POST", "/runs/{run_id}/revert", scope="conversations:write", first=("cancel_run",)
    ),
    Operation("list_replays", "GET", "/runs/{run_id}/replays", scope=_INSTRUCT),
    Operation(
        "replay_run",
        "POST",
        "/runs/{run_id}/replays",
        {"step": "draft"},
        status=202,
        scope=_INSTRUCT,
        first=("cancel_run",),
    ),
    Operation("get_replay", "GET", "/runs/{run_id}/replays/{replay_id}", scope=_INSTRUCT),
    Operation(
        "ask_for_run",
        "POST",
        f"{_CONVERSATION}/runs",
        {},
        status=202,
        scope="conversations:write",
        first=("cancel_run",),
    ),
    Operation("cancel_run", "POST", "/runs/{run_id}/cancellation", scope="conversations:write"),
    Operation("list_tools", "GET", "/tools"),
    Operation("call_tool", "POST", "/tool-calls", {"tool": "list_pipelines"}),
    Operation("list_api_keys", "GET", "/api-keys"),
    Operation("create_api_key", "POST", "/api-keys", {"scopes": ["contacts:read"]}, status=201),
    Operation("get_api_key", "GET", "/api-keys/{api_key_id}", is_managed=True),
    Operation("revoke_api_key", "POST", "/api-keys/{api_key_id}/revocation", is_managed=True),
    Operation("list_sessions", "GET", "/sessions", listed=1),
    Operation("revoke_session", "POST", "/sessions/{session_id}/revocation", is_managed=True),
    Operation("list_seats", "GET", "/seats", listed=2),
    Operation(
        "create_seat",
        "POST",
        "/seats",
        {"kind": "ai", "name": "Noor", "agent": "inbox", "responsible_user_id": "{user_id}"},
        status=201,
        scope=_SEATS,
    ),
    Operation("pause_agents", "POST", "/seats/pause", scope=_SEATS),
    Operation("get_day_limits", "GET", "/seats/day-limits"),
    Operation(
        "set_day_limits",
        "PUT",
        "/seats/day-limits",
        {"max_runs_a_day": 500, "max_tokens_a_day": None, "max_cost_usd_micros_a_day": 20_000_000},
        scope=_SEATS,
    ),
    Operation("get_seat", "GET", _SEAT),
    Operation("update_seat", "PATCH", _SEAT, {**_VERSION, "capacity": 20}, scope=_SEATS),
    Operation("pause_seat", "POST", f"{_SEAT}/pause", scope=_SEATS),
    Operation("resume_seat", "POST", f"{_SEAT}/resume", scope=_SEATS, first=("pause_seat",)),
    Operation("get_autopilot", "GET", f"{_SEAT}/autopilot"),
    Operation("set_autopilot", "PUT", f"{_SEAT}/autopilot", {"intents": []}, scope=_SEATS),
    Operation("list_seat_incidents", "GET", f"{_SEAT}/incidents"),
    Operation("get_seat_history", "GET", f"{_SEAT}/history"),
    Operation(
        "note_incident",
        "POST",
        f"{_DRAFT}/incident",
        {"kind": "complained"},
        status=201,
        scope="drafts:approve",
        first=("approve_draft",),
    ),
    Operation("list_assignment_rules", "GET", "/assignment-rules"),
    Operation(
        "create_assignment_rule",
        "POST",
        "/assignment-rules",
        {"record_kind": "conversation", "name": "All", "way": "in_turn", "bidi_ids": ["{bidi_id}"]},
        status=201,
        scope=_SEATS,
    ),
    Operation(
        "try_assignment",
        "POST",
        "/assignment-rules/trial",
        {"record_kind": "conversation", "contact_id": "{contact_id}"},
    ),
    Operation("get_reassignment", "GET", "/assignment-rules/reassignment"),
    Operation(
        "set_reassignment",
        "PUT",
        "/assignment-rules/reassignment",
        {"reassigns_paused": False},
        scope=_SEATS,
    ),
    Operation("get_assignment_rule", "GET", _RULE),
    Operation("update_assignment_rule", "PATCH", _RULE, {**_VERSION, "name": "All"}, scope=_SEATS),
    Operation("delete_assignment_rule", "DELETE", _RULE, status=204, scope=_SEATS),
    Operation("archive_seat", "POST", f"{_SEAT}/archive", scope=_SEATS),
    Operation("list_audit_entries", "GET", "/audit/entries", scope="audit:read"),
    Operation("get_audit_entry", "GET", "/audit/entries/{event_id}", scope="audit:read"),
    Operation("get_audit_chain", "GET", "/audit/chain", scope="audit:read"),
    Operation("verify_audit", "POST", "/audit/verifications", status=201, scope="audit:read"),
    Operation(
        "get_audit_verification", "GET", "/audit/verifications/{audit_verification_id}", scope="audit:read"
    ),
    Operation("list_privacy_requests", "GET", "/privacy-requests", scope=_PRIVACY),
    Operation(
        "create_privacy_request",
        "POST",
        "/privacy-requests",
        {"kind": "export", "contact_id": "{contact_id}", "why": "Asked by mail."},
        status=201,
        scope=_PRIVACY,
    ),
    Operation("get_privacy_request", "GET", _PRIVACY_REQUEST, scope=_PRIVACY),
    Operation("confirm_erasure", "POST", f"{_PRIVACY_REQUEST}/confirmation", scope=_PRIVACY),
    Operation("allow_erased_person", "POST", f"{_PRIVACY_REQUEST}/allowance", scope=_PRIVACY),
    Operation("cancel_privacy_request", "POST", f"{_PRIVACY_REQUEST}/cancellation", scope=_PRIVACY),
    Operation("list_webhooks", "GET", "/webhooks", scope=_HOOKS),
    Operation(
        "create_webhook",
        "POST",
        "/webhooks",
        {"url": "https://tomas.example/hooks", "event_types": ["contact.created"]},
        status=201,
        scope=_HOOKS,
    ),
    Operation("get_webhook", "GET", _WEBHOOK, scope=_HOOKS),
    Operation("update_webhook", "PATCH", _WEBHOOK, {**_VERSION, "is_enabled": False}, scope=_HOOKS),
    Operation("remove_webhook", "DELETE", _WEBHOOK, scope=_HOOKS),
    Operation("rotate_webhook_secret", "POST", f"{_WEBHOOK}/secret", scope=_HOOKS),
    Operation("test_webhook", "POST", f"{_WEBHOOK}/test", status=202, scope=_HOOKS),
    Operation("list_webhook_deliveries", "GET", f"{_WEBHOOK}/deliveries", scope=_HOOKS),
    Operation("get_webhook_delivery", "GET", _DELIVERY, scope=_HOOKS),
    Operation("list_webhook_attempts", "GET", f"{_DELIVERY}/attempts", scope=_HOOKS),
    Operation("retry_webhook_delivery", "POST", f"{_DELIVERY}/retry", status=202, scope=_HOOKS),
    Operation("get_organization", "GET", "/organization"),
    Operation(
        "update_organization",
        "PATCH",
        "/organization",
        {**_VERSION, "time_zone": "Europe/Berlin", "holidays": ["2026-12-25"], "chats_kept_days": 90},
        scope="organization:write",
    ),
    Operation(
        "transfer_organization",
        "POST",
        "/organization/transfer",
        {"member_id": "{member_id}", "name": "Test"},
        status=204,
        scope="organization:transfer",
    ),
    Operation(
        "set_identity_provider",
        "PUT",
        _PROVIDER,
        {
            "version": 0,
            "name": "Lind ID",
            "issuer": "https://id.lind.example",
            "client_id": "getsale",
            "client_secret": "hush",
        },
        scope="organization:write",
    ),
    Operation(
        "get_identity_provider",
        "GET",
        _PROVIDER,
        scope="organization:write",
        first=("set_identity_provider",),
    ),
    Operation(
        "remove_identity_provider",
        "DELETE",
        _PROVIDER,
        status=204,
        scope="organization:write",
        first=("set_identity_provider",),
    ),
    Operation(
        "delete_organization",
        "POST",
        _DELETION,
        {"name": "Test", "proof": PASSWORD},
        status=201,
        scope="organization:delete",
    ),
    Operation(
        "get_organization_deletion",
        "GET",
        _DELETION,
        scope="organization:delete",
        first=("delete_organization",),
    ),
    Operation(
        "keep_organization",
        "DELETE",
        _DELETION,
        status=204,
        scope="organization:delete",
        first=("delete_organization",),
    ),
    Operation("list_partners", "GET", "/partners", scope=_SEATS),
    Operation("list_commissions", "GET", "/commissions"),
    Operation(
        "set_commission",
        "PUT",
        "/partners/{partner_id}/rate",
        {"commission_percent": "7.5"},
        status=204,
        scope=_SEATS,
    ),
    Operation("list_members", "GET", "/members"),
    Operation("get_member", "GET", _MEMBER),
    Operation("change_role", "PUT", f"{_MEMBER}/role", {"role": "supervisor"}, scope=_TEAM),
    Operation("disable_member", "POST", f"{_MEMBER}/disabling", scope=_TEAM),
    Operation("enable_member", "POST", f"{_MEMBER}/enabling", scope=_TEAM, first=("disable_member",)),
    Operation("remove_member", "POST", f"{_MEMBER}/removal", {"to_member_id": None}, status=204, scope=_TEAM),
    Operation("list_teams", "GET", "/teams"),
    Operation(
        "create_team",
        "POST",
        "/teams",
        {"name": "East", "member_ids": ["{member_id}"]},
        status=201,
        scope=_TEAM,
    ),
    Operation("get_team", "GET", _ONE_TEAM),
    Operation("update_team", "PATCH", _ONE_TEAM, {**_VERSION, "name": "South"}, scope=_TEAM),
    Operation("delete_team", "DELETE", _ONE_TEAM, status=204, scope=_TEAM),
    Operation("list_permissions", "GET", "/roles"),
    Operation("list_invitations", "GET", "/invitations", scope=_TEAM),
    Operation(
        "create_invitation",
        "POST",
        "/invitations",
        {"email": "tomas@lind.example", "role": "bidi"},
        status=201,
        scope=_TEAM,
    ),
    Operation("get_invitation", "GET", _INVITATION, scope=_TEAM),
    Operation("resend_invitation", "POST", f"{_INVITATION}/resending", scope=_TEAM),
    Operation("revoke_invitation", "POST", f"{_INVITATION}/revocation", scope=_TEAM),
    Operation("create_ws_ticket", "POST", "/ws-tickets", status=201),
    Operation("list_contacts", "GET", "/contacts", listed=3),
    Operation(
        "create_contact", "POST", "/contacts", {"name": "Tomas Ferreira"}, status=201, scope="contacts:write"
    ),
    Operation("get_contact", "GET", "/contacts/{contact_id}"),
    Operation(
        "update_contact",
        "PATCH",
        "/contacts/{contact_id}",
        {**_VERSION, "title": "Procurement"},
        scope="contacts:write",
    ),
    Operation("list_handles", "GET", "/contacts/{contact_id}/handles"),
    Operation(
        "add_handle",
        "POST",
        "/contacts/{contact_id}/handles",
        {"kind": "email", "value": "vera@lind.example"},
        status=201,
        scope="contacts:write",
    ),
    Operation("remove_handle", "DELETE", _CONTACT + "/handles/{handle_id}", scope="contacts:write"),
    Operation("prefer_handle", "POST", _CONTACT + "/handles/{handle_id}/preference", scope="contacts:write"),
    Operation("delete_contact", "DELETE", _CONTACT, scope="contacts:write"),
    Operation(
        "restore_contact",
        "POST",
        f"{_CONTACT}/restoration",
        scope="contacts:write",
        first=("delete_contact",),
    ),
    Operation("list_consents", "GET", f"{_CONTACT}/consents"),
    Operation(
        "record_consent",
        "POST",
        f"{_CONTACT}/consents",
        {"channel": "email", "is_given": True, "source": "A letter"},
        status=201,
        scope="contacts:write",
    ),
    Operation("list_consent_history", "GET", f"{_CONTACT}/consents/history"),
    Operation("list_companies", "GET", "/companies"),
    Operation("create_company", "POST", "/companies", {"name": "Nord"}, status=201, scope="companies:write"),
    Operation("get_company", "GET", _COMPANY),
    Operation("update_company", "PATCH", _COMPANY, {**_VERSION, "city": "Malmö"}, scope="companies:write"),
    Operation("delete_company", "DELETE", _COMPANY, scope="companies:write"),
    Operation(
        "restore_company",
        "POST",
        f"{_COMPANY}/restoration",
        scope="companies:write",
        first=("delete_company",),
    ),
    Operation("list_custom_fields", "GET", "/custom-fields"),
    Operation(
        "create_custom_field",
        "POST",
        "/custom-fields",
        {"record_kind": "deal", "label": "Fleet", "kind": "number"},
        status=201,
        scope=_FIELDS,
    ),
    Operation("get_custom_field", "GET", _FIELD),
    Operation("update_custom_field", "PATCH", _FIELD, {**_VERSION, "label": "Vehicles"}, scope=_FIELDS),
    Operation("archive_custom_field", "POST", f"{_FIELD}/archival", scope=_FIELDS),
    Operation(
        "restore_custom_field",
        "POST",
        f"{_FIELD}/restoration",
        scope=_FIELDS,
        first=("archive_custom_field",),
    ),
    Operation("list_tags", "GET", "/tags", listed=2),
    Operation("create_tag", "POST", "/tags", {"name": "VIP"}, status=201, scope=_FIELDS),
    Operation("get_tag", "GET", _TAG),
    Operation("update_tag", "PATCH", _TAG, {**_VERSION, "name": "Trade fair"}, scope=_FIELDS),
    Operation("delete_tag", "DELETE", _TAG, scope=_FIELDS),
    Operation("merge_tag", "POST", f"{_TAG}/merge", {"into_id": "{other_tag_id}"}, scope=_FIELDS),
    Operation("list_record_tags", "GET", _TAGS_OF_RECORD),
    Operation("tag_record", "POST", _TAGS_OF_RECORD, {"name": "Fair"}, status=201, scope="contacts:write"),
    Operation(
        "untag_record", "DELETE", _TAGS_OF_RECORD + "/{tag_id}", scope="contacts:write", first=("tag_record",)
    ),
    Operation("list_duplicates", "GET", "/duplicates"),
    Operation("dismiss_duplicate", "POST", "/duplicates/{match_id}/dismissal", scope="contacts:write"),
    Operation("preview_merge", "POST", "/merge-previews", _PAIR),
    Operation("create_merge", "POST", "/merges", _PAIR, status=201, scope="contacts:write"),
    Operation("list_merges", "GET", "/merges"),
    Operation("get_merge", "GET", "/merges/{merge_id}"),
    Operation("undo_merge", "POST", "/merges/{merge_id}/undoing", scope="contacts:write"),
    Operation("search", "GET", "/search"),
    Operation("list_imports", "GET", "/imports", scope=_TABLES),
    Operation(
        "create_import",
        "POST",
        "/imports",
        {"name": "fair.csv", "text": "Name,Email\nVera Lind,vera@lind.example\n"},
        status=201,
        scope=_TABLES,
    ),
    Operation("get_import", "GET", _TABLE, scope=_TABLES),
    Operation("update_import", "PATCH", _TABLE, {"targets": ["name", "phone"]}, scope=_TABLES),
    Operation("list_import_rows", "GET", f"{_TABLE}/rows", scope=_TABLES),
    Operation("check_import", "POST", f"{_TABLE}/check", status=202, scope=_TABLES),
    Operation("run_import", "POST", f"{_TABLE}/run", status=202, scope=_TABLES),
    Operation("pause_import", "POST", f"{_TABLE}/pause", status=202, scope=_TABLES, first=("run_import",)),
    Operation(
        "resume_import",
        "POST",
        f"{_TABLE}/resumption",
        status=202,
        scope=_TABLES,
        first=("run_import", "pause_import"),
    ),
    Operation(
        "cancel_import", "POST", f"{_TABLE}/cancellation", status=202, scope=_TABLES, first=("run_import",)
    ),
    Operation("undo_import", "POST", f"{_TABLE}/undo", status=202, scope=_TABLES, first=("run_import",)),
    Operation("export_records", "GET", "/exports", scope="records:export", listed=3),
    Operation("get_timeline", "GET", "/records/{record_kind}/{record_id}/timeline"),
    Operation("list_notes", "GET", "/notes"),
    Operation(
        "create_note", "POST", "/notes", {**_RECORD, "body": "Likes tea"}, status=201, scope="notes:write"
    ),
    Operation("get_note", "GET", "/notes/{note_id}"),
    Operation(
        "update_note", "PATCH", "/notes/{note_id}", {**_VERSION, "body": "Likes coffee"}, scope="notes:write"
    ),
    Operation("remove_note", "POST", "/notes/{note_id}/removal", scope="notes:write"),
    Operation(
        "restore_note", "POST", "/notes/{note_id}/restoration", scope="notes:write", first=("remove_note",)
    ),
    Operation("list_tasks", "GET", "/tasks"),
    Operation("create_task", "POST", "/tasks", {**_RECORD, "title": "Call"}, status=201, scope="tasks:write"),
    Operation("get_task", "GET", "/tasks/{task_id}"),
    Operation(
        "update_task", "PATCH", "/tasks/{task_id}", {**_VERSION, "due_at": TOMORROW}, scope="tasks:write"
    ),
    Operation("complete_task", "POST", "/tasks/{task_id}/completion", scope="tasks:write"),
    Operation(
        "reopen_task", "POST", "/tasks/{task_id}/reopening", scope="tasks:write", first=("complete_task",)
    ),
    Operation("remove_task", "POST", "/tasks/{task_id}/removal", scope="tasks:write"),
    Operation(
        "restore_task", "POST", "/tasks/{task_id}/restoration", scope="tasks:write", first=("remove_task",)
    ),
    Operation("list_meetings", "GET", "/meetings"),
    Operation(
        "create_meeting",
        "POST",
        "/meetings",
        {**_RECORD, "title": "Demo", "starts_at": TOMORROW, "ends_at": TOMORROW_LATER},
        status=201,
        scope="meetings:write",
    ),
    Operation("get_meeting", "GET", "/meetings/{meeting_id}"),
    Operation(
        "update_meeting",
        "PATCH",
        "/meetings/{meeting_id}",
        {**_VERSION, "place": "Online"},
        scope="meetings:write",
    ),
    Operation(
        "set_meeting_status",
        "POST",
        "/meetings/{meeting_id}/status",
        {"status": "held", "outcome": "They buy"},
        scope="meetings:write",
    ),
    Operation("remove_meeting", "POST", "/meetings/{meeting_id}/removal", scope="meetings:write"),
    Operation(
        "restore_meeting",
        "POST",
        "/meetings/{meeting_id}/restoration",
        scope="meetings:write",
        first=("remove_meeting",),
    ),
    Operation("list_files", "GET", "/files"),
    Operation("get_file", "GET", "/files/{file_id}"),
    Operation("remove_file", "POST", "/files/{file_id}/removal", scope="files:write"),
    Operation(
        "restore_file", "POST", "/files/{file_id}/restoration", scope="files:write", first=("remove_file",)
    ),
    Operation("list_notifications", "GET", "/notifications"),
    Operation("mark_all_notifications_read", "POST", "/notifications/reading"),
    Operation("mark_notification_read", "POST", "/notifications/{notification_id}/reading", is_managed=True),
    Operation("list_segments", "GET", "/segments"),
    Operation(
        "create_segment",
        "POST",
        "/segments",
        {"record_kind": "contact", "name": "Directors", "filter": {}},
        status=201,
        scope="views:write",
    ),
    Operation("get_segment", "GET", "/segments/{segment_id}"),
    Operation("count_segment", "GET", "/segments/{segment_id}/count"),
    Operation(
        "update_segment",
        "PATCH",
        "/segments/{segment_id}",
        {**_VERSION, "name": "Buyers"},
        scope="views:write",
    ),
    Operation("delete_segment", "DELETE", "/segments/{segment_id}", scope="views:write"),
    Operation(
        "restore_segment",
        "POST",
        "/segments/{segment_id}/restoration",
        scope="views:write",
        first=("delete_segment",),
    ),
    Operation("list_bulk_edits", "GET", "/bulk-edits"),
    Operation(
        "create_bulk_edit",
        "POST",
        "/bulk-edits",
        {"record_kind": "contact", "filter": {}, "changes": {"set": {"title": "Buyer"}}},
        status=201,
        scope="contacts:write",
    ),
    Operation("get_bulk_edit", "GET", _BULK),
    Operation("list_bulk_edit_records", "GET", f"{_BULK}/records"),
    Operation("run_bulk_edit", "POST", f"{_BULK}/run", status=202, scope="contacts:write"),
    Operation("cancel_bulk_edit", "POST", f"{_BULK}/cancellation", status=202, scope="contacts:write"),
    Operation(
        "undo_bulk_edit",
        "POST",
        f"{_BULK}/undo",
        status=202,
        scope="contacts:write",
        first=("run_bulk_edit",),
    ),
    Operation("list_views", "GET", "/saved-views"),
    Operation(
        "create_view",
        "POST",
        "/saved-views",
        {"record_kind": "contact", "name": "Directors", "filter": {}},
        status=201,
        scope="views:write",
    ),
    Operation("get_view", "GET", "/saved-views/{view_id}"),
    Operation(
        "update_view", "PATCH", "/saved-views/{view_id}", {**_VERSION, "name": "Buyers"}, scope="views:write"
    ),
    Operation("delete_view", "DELETE", "/saved-views/{view_id}", scope="views:write"),
    Operation(
        "restore_view",
        "POST",
        "/saved-views/{view_id}/restoration",
        scope="views:write",
        first=("delete_view",),
    ),
    Operation("list_pipelines", "GET", "/pipelines"),
    Operation(
        "create_pipeline", "POST", "/pipelines", {"name": "Partners"}, status=201, scope="pipelines:write"
    ),
    Operation("get_pipeline", "GET", "/pipelines/{pipeline_id}"),
    Operation(
        "rename_pipeline",
        "PATCH",
        "/pipelines/{pipeline_id}",
        {**_VERSION, "name": "Partners"},
        scope="pipelines:write",
    ),
    Operation("list_stages", "GET", "/pipelines/{pipeline_id}/stages"),
    Operation(
        "add_stage",
        "POST",
        "/pipelines/{pipeline_id}/stages",
        {"name": "Pilot"},
        status=201,
        scope="pipelines:write",
    ),
    Operation(
        "reorder_stages",
        "POST",
        "/pipelines/{pipeline_id}/order",
        {"stage_ids": ["{next_stage_id}", "{stage_id}"]},
        scope="pipelines:write",
    ),
    Operation("update_stage", "PATCH", "/stages/{stage_id}", {"probability": 65}, scope="pipelines:write"),
    Operation(
        "remove_stage",
        "POST",
        "/stages/{stage_id}/removal",
        {"move_to": "{next_stage_id}"},
        status=204,
        scope="pipelines:write",
    ),
    Operation("list_leads", "GET", "/leads"),
    Operation(
        "create_lead",
        "POST",
        "/leads",
        {"contact_id": "{other_contact_id}"},
        status=201,
        scope="leads:write",
    ),
    Operation("get_lead", "GET", "/leads/{lead_id}"),
    Operation(
        "update_lead", "PATCH", "/leads/{lead_id}", {**_VERSION, "next_step": "Call"}, scope="leads:write"
    ),
    Operation(
        "move_lead",
        "POST",
        "/leads/{lead_id}/move",
        {**_VERSION, "stage_id": "{next_stage_id}"},
        scope="leads:write",
    ),
    Operation(
        "convert_lead",
        "POST",
        "/leads/{lead_id}/conversion",
        {**_VERSION, "name": "40 scanners"},
        status=201,
        scope="leads:write",
    ),
    Operation("delete_lead", "DELETE", "/leads/{lead_id}", scope="leads:write"),
    Operation(
        "restore_lead", "POST", "/leads/{lead_id}/restoration", scope="leads:write", first=("delete_lead",)
    ),
    Operation("list_lead_stages", "GET", "/leads/{lead_id}/stages"),
    Operation("list_deals", "GET", "/deals"),
    Operation(
        "create_deal",
        "POST",
        "/deals",
        {"name": "40 scanners", "stage_id": "{stage_id}"},
        status=201,
        scope="deals:write",
    ),
    Operation("get_deal", "GET", "/deals/{deal_id}"),
    Operation(
        "update_deal", "PATCH", "/deals/{deal_id}", {**_VERSION, "next_step": "Call"}, scope="deals:write"
    ),
    Operation(
        "move_deal",
        "POST",
        "/deals/{deal_id}/move",
        {**_VERSION, "stage_id": "{next_stage_id}"},
        scope="deals:write",
    ),
    Operation("delete_deal", "DELETE", "/deals/{deal_id}", scope="deals:write"),
    Operation(
        "restore_deal", "POST", "/deals/{deal_id}/restoration", scope="deals:write", first=("delete_deal",)
    ),
    Operation("list_deal_stages", "GET", "/deals/{deal_id}/stages"),
    Operation("list_stakeholders", "GET", "/deals/{deal_id}/stakeholders"),
    Operation(
        "add_stakeholder",
        "POST",
        "/deals/{deal_id}/stakeholders",
        {"contact_id": "{contact_id}", "role": "champion"},
        status=201,
        scope="deals:write",
    ),
    Operation(
        "remove_stakeholder",
        "DELETE",
        "/deals/{deal_id}/stakeholders/{contact_id}",
        status=204,
        scope="deals:write",
        first=("add_stakeholder",),
    ),
)
# What leads in; tests/api/test_tokens.py calls them.
PUBLIC = {
    "sign_in": ("POST", "/auth/tokens"),
    "refresh_tokens": ("POST", "/auth/refresh"),
    "sign_out": ("POST", "/auth/sign-out"),
}
BY_NAME = {operation.name: operation for operation in OPERATIONS}
