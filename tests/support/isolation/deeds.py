"""What the owner fills into forms that a schema alone does not tell, and what has to go before."""

from collections.abc import Collection, Mapping

from tests.support.isolation.recording import Deed, Given

# What Telegram sends.
TELEGRAM: Given = {
    "update_id": 990001,
    "message": {
        "message_id": 990001,
        "date": 1795000000,
        "chat": {"id": 700000001, "type": "private"},
        "from": {"id": 700000001, "is_bot": False, "first_name": "Vera"},
        "text": "Hello",
    },
}
_RECORDS = ("contacts", "companies", "leads", "deals")

FORMS: Mapping[str, Given] = {
    "POST /profile/password": {"old": "correct horse battery", "password": "another horse battery"},
    "POST /session": {"email": "owner@attacker.example", "password": "correct horse battery"},
    "POST /password/forgotten": {"email": "owner@attacker.example"},
    "POST /password/new": {"token": "known", "password": "another horse battery"},
    "POST /sign-up/confirmation": {"token": "known"},
    "POST /join/{secret}/account": {"secret": "known", "name": "Nora Lind", "email": "nora@nowhere.example",
                                    "password": "correct horse battery"},
    "POST /drafts/{draft_id}/incident": {"kind": "complained"},
    "POST /seats/{bidi_id}/incidents": {"kind": "complained"},
    "POST /approvals/{approval_id}/approval": {"approval_id": "{approvals[1]}", "is_checked": "true"},
    "POST /approvals/{approval_id}/rejection": {"approval_id": "{approvals[1]}"},
    "POST /approvals/{approval_id}/snooze": {"approval_id": "{approvals[1]}"},
    "POST /suggestions/{suggestion_id}/acceptance": {"is_checked": "true"},
    "POST /duplicates/{match_id}/dismissal": {},
    "POST /sign-up": {"email": "new@nowhere.example", "password": "correct horse battery", "name": "Nora Lind",
                      "organization": "Nord"},
    "POST /assignment": {"record_kind": "lead", "name": "Everything", "way": "in_turn", "bidi_ids": ["{bidi[0]}"]},
    "POST /assignment/{assignment_rule_id}": {"name": "Everything", "way": "least_loaded", "bidi_ids": ["{bidi[0]}"]},
    "POST /merges": {"kept_id": "{contacts[0]}", "merged_id": "{contacts[1]}"},
    "POST /copilot": {"question": "Who decides?"},
    "POST /copilot/{chat_id}/questions": {"question": "Who decides?"},
    "POST /pipelines/{pipeline_id}/stages/{stage_id}/removal": {"stage_id": "{stages[0]}", "move_to": "{stages[1]}"},
    "POST /pipelines/{pipeline_id}/transitions": {
        "stage_id": "{stages[0]}", "to_stage_id": "{stages[2]}", "record_kind": "deal", "event_type": "message.received"},
    "POST /pipelines/{pipeline_id}/stages/{stage_id}/place": {"by": "1"},
    "POST /policy": {"rule": "write", "suggest": "deny", "assist": "deny"},
    "POST /imports": {"file": "a table"},
    "POST /imports/{import_id}/mapping": {"target": ["name", "phone"]},
    "POST /imports/{import_id}/reading": {"header": "no"},
    "POST /imports/{import_id}/kind": {"kind": "company"},
    "POST /bulk-edits": {"kind": "contact", "id": ["{contacts[0]}"], "fate": "trash"},
    "POST /bulk-edits/{bulk_edit_id}/changes": {"change": ["title"], "title": "Buyer"},
    "POST /seats/day-limits": {"max_runs_a_day": "50", "max_tokens_a_day": "", "max_cost_usd_a_day": ""},
    "POST /seats/{bidi_id}": {"name": "Mira the second"},
    "POST /meetings/{meeting_id}/status": {"status": "held"},
    "POST /settings/members/invitations": {"role": "viewer", "email": "ines@nowhere.example", "by": "mail"},
    "POST /settings/teams/{team_id}": {"version": "1", "name": "South"},
    "POST /settings/organization": {"version": "1", "name": "Lind Sales East", "locale": "en", "time_zone": "UTC"},
    "POST /settings/organization/transfer": {"name": "Lind Sales"},
    "POST /settings/fields": {"record_kind": "contact", "value_kind": "text", "label": "Shoe size"},
    "POST /settings/fields/{custom_field_id}": {"label": "Size of the shop", "choice_key": ["small"], "choice_label": ["Small"], "more_choices": "Large"},
    "POST /settings/fields/{custom_field_id}/place": {"by": "1"},
    "POST /settings/tags/{tag_id}/merge": {"tag_id": "{tags[0]}", "into_id": "{tags[1]}"},
    "POST /settings/api-keys": {"name": "A script", "scopes": ["contacts:read"], "days": "30"},
    "POST /settings/webhooks": {"url": "https://example.com/hooks", "event_types": ["contact.created"]},
    "POST /settings/webhooks/{webhook_id}": {"url": "https://example.com/hooks", "event_types": ["contact.created"]},
    "POST /settings/privacy": {"kind": "erasure", "contact": "{contacts[0]}", "why": "They asked for it"},
    "POST /runs/{run_id}/replays": {"step": "draft"},
    "POST /copilot/questions/{question_id}/cancellation": {"question_id": "{copilot_questions[1]}"},
    "POST /webhooks/telegram/{account_id}": TELEGRAM,
    "POST /contacts": {"name": "Ann Berg"},
    "POST /companies": {"name": "Berg"},
    "POST /leads": {"contact_id": "{contacts[0]}", "stage_id": "{stages[0]}"},
    "POST /deals": {"name": "40 scanners", "stage_id": "{stages[0]}"},
    "POST /preferences": {"locale": "ru", "theme": "dark"},
    "POST /contacts/{record_id}/cells/{name}": {"name": "title", "value": "Buyer"},
    "POST /companies/{record_id}/cells/{name}": {"name": "industry", "value": "Trade"},
    "POST /leads/{record_id}/cells/{name}": {"name": "stage_id", "value": "{stages[1]}"},
    "POST /deals/table/{record_id}/cells/{name}": {"name": "next_step", "value": "Call"},
    "POST /contacts/{record_id}/fields/{name}": {"name": "title", "title": "Buyer"},
    "POST /companies/{record_id}/fields/{name}": {"name": "industry", "industry": "Trade"},
    "POST /leads/{record_id}/fields/{name}": {"name": "next_step", "next_step": "Call"},
    "POST /deals/{record_id}/fields/{name}": {"name": "next_step", "next_step": "Call"},
    "POST /deals/{deal_id}/stage": {"stage_id": "{stages[1]}"},
    "POST /deals/{record_id}/move": {"stage_id": "{stages[1]}"},
    "POST /leads/{record_id}/move": {"stage_id": "{stages[1]}"},
    "POST /deals/{deal_id}/stakeholders": {"role": "champion", "contact": "{contacts[0]}"},
    "POST /deals/{deal_id}/stakeholders/{contact_id}": {"before": "champion", "role": "buyer"},
    **{f"POST /{noun}/{{record_id}}/tags": {"tag": "Very new"} for noun in _RECORDS},
}  # fmt: skip

_ASKED: Deed = "POST /password/forgotten", {"email": "owner@attacker.example"}
_WANTED: Deed = (
    "POST /sign-up",
    {
        "email": "nina@nowhere.example",
        "password": "correct horse battery",
        "name": "Nina Lind",
        "organization": "Nord",
    },
)
_RUN: Deed = ("POST /imports/{import_id}/run", {})
_DONE: Deed = (
    "UPDATE copilot_questions SET status = 'stopped', answered_at = now() WHERE organization_id = %(id)s",
    {},
)

# What a tool is told besides, so that it has something to change.
CALLS: Mapping[str, Given] = {"tag_record": {"add": ["Very new"]}, "close_meeting": {"status": "held"}}

# What has to be done before, in the same organization: a call, or a statement for what a mail or a worker brings.
FIRST: Mapping[str, Collection[Deed]] = {
    "POST /password/new": (
        _ASKED, ("UPDATE password_resets SET token_hash = sha256('known') WHERE organization_id = %(id)s", {})),
    "POST /sign-up/confirmation": (
        _WANTED, ("UPDATE sign_ups SET token_hash = sha256('known') WHERE email LIKE 'nina@%%'", {})),
    "POST /join/{secret}/account": (
        ("UPDATE invitations SET token_hash = sha256('known'), email = NULL WHERE organization_id = %(id)s AND "
         "id = (SELECT min(id::text)::uuid FROM invitations WHERE organization_id = %(id)s)", {}),),
    **{
        f"POST {path}": (("POST /drafts/{draft_id}/approval", {}),)
        for path in ("/drafts/{draft_id}/incident", "/seats/{bidi_id}/incidents")
    },
    "POST /settings/privacy/{privacy_request_id}/confirmation": (
        ("UPDATE privacy_requests SET kind = 'erasure', status = 'waiting' WHERE organization_id = %(id)s", {}),),
    "POST /settings/privacy/{privacy_request_id}/allowance": (
        ("INSERT INTO erased_handles (organization_id, hash, request_id) SELECT organization_id, 'a', id "
         "FROM privacy_requests WHERE organization_id = %(id)s LIMIT 1", {}),),
    "POST /runs/{run_id}/replays": (("UPDATE runs SET status = 'succeeded' WHERE organization_id = %(id)s", {}),),
    "POST /copilot/{chat_id}/questions": (_DONE,),
    "POST /copilot/{chat_id}/removal": (_DONE,),
    "POST /audit/verifications": (
        ("UPDATE audit_verifications SET ended_at = now(), sealed = 0, anchors = 0, erased = 0 "
         "WHERE organization_id = %(id)s", {}),),
    "POST /imports/{import_id}/revision": (
        ("UPDATE imports SET status = 'checked' WHERE organization_id = %(id)s", {}),),
    **{
        f"{path}/confirmation": (("UPDATE facts SET trust = 'quarantined' WHERE organization_id = %(id)s", {}),)
        for path in ("POST /facts/{fact_id}", *(f"POST /{noun}/{{record_id}}/facts/{{fact_id}}" for noun in _RECORDS))
    },
    "POST /settings/fields/{custom_field_id}/place": (
        ("POST /settings/fields", {"record_kind": "contact", "value_kind": "text", "label": "Shoe size"}),),
    **{
        f"{path}/restoration": ((f"{path}/removal", {}),)
        for path in (
            "POST /knowledge/{document_id}",
            "POST /views/{view_id}",
            "POST /segments/{segment_id}",
            "POST /tasks/{task_id}",
            "POST /meetings/{meeting_id}",
            "POST /notes/{note_id}",
            "POST /files/{file_id}",
            *(f"POST /{noun}/{{record_id}}" for noun in _RECORDS),
        )
    },
    "POST /trash/{record_kind}/{record_id}/restoration": (("POST /contacts/{record_id}/removal", {}),),
    "POST /tasks/{task_id}/reopening": (("POST /tasks/{task_id}/completion", {}),),
    "POST /conversations/{conversation_id}/reopening": (("POST /conversations/{conversation_id}/resolution", {}),),
    "POST /pipelines/{pipeline_id}/stages/{stage_id}/rules/removal": (
        ("POST /pipelines/{pipeline_id}/stages/{stage_id}/rules", {}),),
    **{f"POST /imports/{{import_id}}/{deed}": (_RUN,) for deed in ("pause", "cancellation", "undo")},
    "POST /imports/{import_id}/resumption": (_RUN, ("POST /imports/{import_id}/pause", {})),
    "POST /bulk-edits/{bulk_edit_id}/undo": (("POST /bulk-edits/{bulk_edit_id}/run", {}),),
    "POST /seats/{bidi_id}/resume": (("POST /seats/{bidi_id}/pause", {}),),
    "POST /settings/members/{member_id}/enabling": (("POST /settings/members/{member_id}/disabling", {}),),
    "POST /settings/fields/{custom_field_id}/restoration": (("POST /settings/fields/{custom_field_id}/archival", {}),),
    **{
        f"POST /{noun}/{{record_id}}/tags/{{tag_id}}/removal": ((f"POST /{noun}/{{record_id}}/tags", {"tag": "Fair"}),)
        for noun in _RECORDS
    },
    "POST /deals/{deal_id}/stakeholders/{contact_id}": (
        ("POST /deals/{deal_id}/stakeholders", {"role": "champion", "contact": "{contacts[0]}"}),),
    "POST /settings/webhooks/deliveries/{webhook_delivery_id}/retry": (),
}  # fmt: skip
