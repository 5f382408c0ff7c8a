"""One of everything that the API shows: a conversation, a draft with its approval, a run with a call, a contact, and
what people noted down about them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from core import clock
from core.addresses import Reach
from core.db import Database, Tx
from core.envelopes import Keyring
from core.filters import ValueKind
from core.ids import uuid7
from core.principal import Principal
from core.tables.models import Layout, Survey
from crm.api_keys.actions import create_api_key
from crm.approvals.queries import get_approval_of
from crm.assignment.models import Assigned, NewRule, Way
from crm.assignment.rules import create_rule
from crm.audit.actions import ask_verification
from crm.audit.models import EntryFilter
from crm.audit.queries import list_entries
from crm.bidi.partners import seat_partner
from crm.bulk.actions import create_bulk_edit
from crm.bulk.models import Changes, NewBulkEdit
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.erased import keep_away
from crm.contacts.matches import MatchReason, list_matches, note_match
from crm.contacts.models import NewContact
from crm.contacts.queries import list_handles
from crm.conversations.queries import list_messages
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.files.actions import add_file
from crm.files.models import NewFile
from crm.identity.invitations import invite
from crm.identity.models import Role
from crm.identity.queries import find_member_id
from crm.identity.sessions import list_open_sessions, open_session
from crm.identity.teams import create_team
from crm.imports.tables.actions import create_table_import
from crm.imports.tables.models import NewTable
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.merges.actions import merge_records
from crm.notes.actions import create_note
from crm.notifications.actions import tell_of_task
from crm.notifications.models import NotificationKind
from crm.notifications.queries import list_notifications
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import NewStage
from crm.pipelines.queries import list_stages
from crm.privacy import actions as privacy
from crm.privacy.models import RequestKind
from crm.records.models import RecordRef
from crm.runs.actions import QuietWindow, RunRequest, request_run
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom, record_model_calls
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange
from crm.runs.tool_calls import NewToolCall, open_tool_call
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.tags.actions import create_tag
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from crm.views.actions import create_view
from crm.views.models import NewView
from crm.webhooks.actions import create_webhook, send_test
from crm.webhooks.models import NewWebhook
from events.ids import ContactId, MemberId, RecordKind, RunId, UserId
from tests.support.asking import ask_to_rename
from tests.support.organizations import add_member
from tests.support.suggesting import suggest_to_keep
from tests.support.world import World, make_world

# What the web process of these tests seals with.
SECRET = "a key for tests only, 32 bytes long"


@dataclass(frozen=True)
class Desk:
    """What was made; `ids` are by the names that paths of the API have."""

    world: World
    ids: dict[str, UUID]

    def path(self, template: str) -> str:
        return template.format(record_kind="contact", **self.ids)


async def make_desk(db: Database, owner: Principal) -> Desk:
    """A contact has written, an agent has proposed an answer and is asked to look again in an hour."""
    world = await make_world(db, owner)
    await world.receive("Hello, what does it cost?")
    conversation = await world.conversation()
    draft = await world.draft("It costs €17 a month.")
    async with db.transaction(owner, "test") as tx:
        messages = await list_messages(tx, conversation.id)
        approval = await get_approval_of(tx, draft.id)
        request = RunRequest(world.bidi_id, "inbox", conversation.id)
        run_id = await request_run(tx, request, QuietWindow(3600, 3600))
        assert run_id is not None
        await open_tool_call(
            tx,
            NewToolCall(
                run_id, "1", "get_contact", "read", {"contact_id": conversation.contact_id}, "allow", False
            ),
        )
        said = ModelExchange((ExchangeTurn("user", "Hello"),), (), ExchangeTurn("assistant", "Hello!"))
        model_call = ModelCall(
            "draft", "m", 1, CallOutcome.ANSWERED, UsageFrom.NONE, 0, 0, 0, clock.now(), exchange=said
        )
        await record_model_calls(tx, run_id, [model_call], keep=timedelta(days=1))
        replay_id = await _run_again(tx, run_id)
        asked = await ask_to_rename(tx, run_id, world.bidi_id, conversation.contact_id)
        suggested = await suggest_to_keep(tx, run_id, world.bidi_id, conversation)
        handles = await list_handles(tx, conversation.contact_id)
        webhook = await create_webhook(
            tx, NewWebhook("https://vera.example/hooks", ("*",)), reach=Reach(), keys=Keyring(SECRET)
        )
        delivery = await send_test(tx, webhook.webhook.id)
        key = await create_api_key(tx, UserId(owner.id), name="A script")
        await open_session(tx)
        session = (await list_open_sessions(tx))[0]
        table = NewTable("people.csv", "0" * 64, 34, Survey(Layout("csv", columns=("Name", "Email")), 1))
        imported = await create_table_import(tx, table)
        noted = await _note_down(tx, RecordRef(RecordKind.CONTACT, conversation.contact_id))
        kept = await _keep(tx)
        segment = await create_segment(tx, NewSegment(RecordKind.CONTACT, "Everybody", {}))
        chosen = NewBulkEdit(RecordKind.CONTACT, (conversation.contact_id,))
        edit = await create_bulk_edit(tx, chosen, Changes(set={"title": "Head of sales"}))
        view = await create_view(
            tx, NewView(RecordKind.CONTACT, "By change", sort="-updated_at", is_shared=True)
        )
        pipeline = await create_pipeline(tx, "Sales", [NewStage("New"), NewStage("Offer")])
        stages = await list_stages(tx, pipeline.id)
        lead = await create_lead(tx, NewLead(conversation.contact_id, stage_id=stages[0].id))
        deal = await create_deal(tx, NewDeal("40 scanners", stages[0].id))
        other = await create_contact(tx, NewContact("Tomas Ferreira"))
        rule = await create_rule(tx, NewRule(Assigned.LEAD, "New leads", Way.IN_TURN, (world.bidi_id,)))
        verification = await ask_verification(tx)
        requests = await _privacy(tx, ContactId(conversation.contact_id))
        (entry,) = (await list_entries(tx, EntryFilter(), limit=1)).items
        match_id, merge_id = await _duplicates(tx, conversation.contact_id, other.id)
        invited = await invite(tx, email="vera@lind.example", role=Role.VIEWER)
    colleague = await add_member(db, owner, Role.BIDI)
    async with db.transaction(owner, "test") as tx:
        member_id = await find_member_id(tx, colleague.id)
        assert member_id is not None
        partner_id = await seat_partner(tx, UserId(colleague.id), "Milo Member", 1000)
        team = await create_team(tx, "North", member_ids=[MemberId(member_id)])
    ids: dict[str, UUID] = {
        "model_call_id": model_call.id,
        "replay_id": replay_id,
        "member_id": member_id,
        "partner_id": partner_id,
        "team_id": team.id,
        "invitation_id": invited.invitation.id,
        "assignment_rule_id": rule.id,
        "segment_id": segment.id,
        "bulk_edit_id": edit.id,
        "view_id": view.id,
        **noted,
        **suggested,
        **kept,
        "import_id": imported.id,
        "record_id": conversation.contact_id,
        "pipeline_id": pipeline.id,
        "stage_id": stages[0].id,
        "next_stage_id": stages[1].id,
        "lead_id": lead.id,
        "deal_id": deal.id,
        "other_contact_id": other.id,
        "conversation_id": conversation.id,
        "contact_id": conversation.contact_id,
        "message_id": messages[0].id,
        "draft_id": draft.id,
        "approval_id": asked,
        "draft_approval_id": approval.id,
        "run_id": run_id,
        "bidi_id": world.bidi_id,
        "user_id": owner.id,
        "handle_id": handles[0].id,
        "webhook_id": webhook.webhook.id,
        "webhook_delivery_id": delivery.id,
        "api_key_id": key.key.id,
        "session_id": session.id,
        "event_id": entry.id,
        "audit_verification_id": verification.id,
        **requests,
        "match_id": match_id,
        "merge_id": merge_id,
    }
    return Desk(world, ids)


async def _privacy(tx: Tx, contact_id: ContactId) -> dict[str, UUID]:
    """An erasure that waits for its confirmation."""
    erasure = await privacy.make_request(tx, RequestKind.ERASURE, contact_id, "Asked by mail.")
    await privacy.keep_found(tx, erasure.id, [contact_id], {"contacts": 1}, {})
    await keep_away(tx, [b"a keyed hash"], erasure.id)
    return {"privacy_request_id": erasure.id}


async def _run_again(tx: Tx, run_id: RunId) -> UUID:
    """A replay of the run, which had come to its draft."""
    await tx.execute(
        """
        INSERT INTO checkpoints (thread_id, checkpoint_id, checkpoint)
        VALUES (%(run_id)s::uuid::text, '1', '{"versions_seen": {"draft": {}}}')
        """,
        run_id=run_id,
    )
    replay_id = uuid7()
    await tx.execute(
        """
        INSERT INTO run_replays (organization_id, id, run_id, step, prompts, asked_by)
        VALUES (%(organization_id)s, %(id)s, %(run_id)s, 'draft', '{}', %(asked_by)s)
        """,
        organization_id=tx.organization_id,
        id=replay_id,
        run_id=run_id,
        asked_by=tx.principal.id,
    )
    return replay_id


async def _keep(tx: Tx) -> dict[str, UUID]:
    """A company, a custom field and two tags."""
    company = await create_company(tx, NewCompany("Lind Logistics", domain="lind.example"))
    field = await create_custom_field(tx, NewCustomField(RecordKind.CONTACT, "Fleet size", ValueKind.NUMBER))
    tag, other = await create_tag(tx, "Fair"), await create_tag(tx, "Exhibition")
    return {
        "company_id": company.id,
        "custom_field_id": field.id,
        "tag_id": tag.id,
        "other_tag_id": other.id,
    }


async def _note_down(tx: Tx, about: RecordRef) -> dict[str, UUID]:
    """A note, a task that is due, a meeting, a file, and a notification of the task."""
    now = clock.now()
    note = await create_note(tx, about, "Prefers calls before ten")
    task = await create_task(tx, NewTask("Send the price list", about, due_at=now))
    starts_at = now + timedelta(days=1)
    meeting = await create_meeting(
        tx, NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1), record=about)
    )
    file = await add_file(tx, about, NewFile("Offer.pdf", "application/pdf", 7, "0" * 64))
    await tell_of_task(tx, task.id, NotificationKind.TASK_DUE, uuid7())
    (told,) = (await list_notifications(tx)).items
    return {
        "note_id": note.id,
        "task_id": task.id,
        "meeting_id": meeting.id,
        "file_id": file.id,
        "notification_id": told.id,
    }


async def _duplicates(tx: Tx, contact_id: ContactId, other_id: ContactId) -> tuple[UUID, UUID]:
    """A suggested pair of the two, and two others who were merged."""
    kept, merged = [await create_contact(tx, NewContact(name)) for name in ("Ann", "Anna")]
    await note_match(tx, contact_id, other_id, MatchReason.SAME_HANDLE, "+46701234567")
    (match,) = await list_matches(tx, other_id)
    merge = await merge_records(tx, RecordKind.CONTACT, kept.id, merged.id)
    return match.id, merge.id
