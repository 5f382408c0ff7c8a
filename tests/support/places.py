"""Something on every page of the product, and the addresses at which each of its pages can be seen."""

from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr

from agents.llm.offline.model import OfflineModel
from core import clock
from core.addresses import Reach
from core.blobs import Blobs
from core.db import Tx
from core.envelopes import Keyring
from core.filters import ValueKind
from core.ids import uuid7
from core.settings import Settings
from core.tables import reader
from crm.approvals.queries import find_approval_id
from crm.bulk.actions import create_bulk_edit
from crm.bulk.models import Changes, NewBulkEdit
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.suggestions import look_for_matches
from crm.conversations.models import Conversation
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.deals.actions import create_deal
from crm.deals.models import NewDeal
from crm.drafts.queries import list_drafts
from crm.identity.actions import create_stand_in
from crm.identity.invitations import invite
from crm.identity.models import Role
from crm.identity.providers import NewProvider, find_provider, set_provider
from crm.identity.queries import find_member_id, get_organization
from crm.identity.teams import create_team
from crm.imports.tables import actions as imports
from crm.imports.tables.actions import UPLOADS
from crm.imports.tables.models import NewTable
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.merges.actions import merge_records
from crm.notes.actions import create_note, remove_note
from crm.pipelines.actions import create_pipeline, update_stage
from crm.pipelines.models import StageEdit
from crm.pipelines.queries import list_stages
from crm.pipelines.rules import Rule
from crm.privacy.actions import make_request
from crm.privacy.models import RequestKind
from crm.records.models import RecordRef
from crm.runs.models import RunStatus
from crm.runs.queries import list_runs
from crm.runs.replays import NewReplay, ask_replay
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.tags.actions import ensure_tag
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from crm.views.actions import create_view
from crm.views.models import NewView
from crm.webhooks import actions as webhooks
from crm.webhooks.models import NewWebhook
from crm.webhooks.queries import list_attempts
from evals.examiner import Examiner
from events.ids import RecordKind
from infra.fleet import KEY
from tests.support import papers
from tests.support.asking import ask_to_rename
from tests.support.documents import read_document
from tests.support.evaluating import evaluate, make_cases
from tests.support.mail import make_post, written
from tests.support.stage import Stage
from tests.support.suggesting import suggest_to_keep
from tests.support.tables import csv_bytes
from tests.support.until import until

PRICES = "# Prices\n\n| Scanners | Price |\n|---|---|\n| 1–9 | €26 |\n\nWithout VAT.\n"
_PARTS = ("timeline", "suggestions", "notes", "tasks", "meetings", "files")

# By route, where its page can be seen; in braces is what `make_things` made.
PLACES: dict[str, tuple[str, ...]] = {
    "/session/new": ("/session/new",),
    "/preferences": ("/preferences",),
    "/sign-up": ("/sign-up",),
    "/sign-up/confirmation": ("/sign-up/confirmation?token=a-token",),
    "/password/forgotten": ("/password/forgotten",),
    "/password/new": ("/password/new?token=a-token",),
    "/session/organization/{slug}": ("/session/organization/{door}",),
    "/session/code": ("/session/code",),
    "/profile": ("/profile",),
    "/profile/second-factor": ("/profile/second-factor",),
    "/sessions": ("/sessions",),
    "/inbox": ("/inbox?folder=waiting",),
    "/inbox/{conversation_id}": (
        "/inbox/{conversation}?folder=all",
        "/inbox/{conversation}?folder=all&pane=about",
        "/inbox/{conversation}?folder=all&draft=feedback",
    ),
    "/approvals": ("/approvals", "/approvals?queue=decided"),
    "/approvals/{approval_id}": ("/approvals/{asked}", "/approvals/{draft_approval}?draft=reject"),
    "/suggestions": ("/suggestions", "/suggestions?status=dismissed"),
    "/suggestions/{suggestion_id}": ("/suggestions/{suggestion}",),
    "/policy": ("/policy",),
    "/mails/{message_id}": ("/mails/{mail}",),
    "/contacts/{contact_id}/relationships": ("/contacts/{contact}/relationships",),
    "/duplicates": ("/duplicates",),
    "/merges/new": ("/merges/new?kept_id={twin}&merged_id={other_twin}",),
    "/merges": ("/merges",),
    "/merges/{merge_id}": ("/merges/{merge}",),
    "/knowledge": ("/knowledge?removed={scan}",),
    "/knowledge/answers": ("/knowledge/answers?q=prices",),
    "/knowledge/{document_id}": ("/knowledge/{prices}?quote=1–9 | €26", "/knowledge/{scan}"),
    "/pipelines": ("/pipelines",),
    "/pipelines/{pipeline_id}": ("/pipelines/{pipeline}",),
    "/imports": ("/imports",),
    "/imports/refusal": ("/imports/refusal?fault=empty",),
    "/imports/{import_id}": ("/imports/{import}",),
    "/bulk-edits": ("/bulk-edits",),
    "/bulk-edits/{bulk_edit_id}": ("/bulk-edits/{draft_edit}", "/bulk-edits/{tried_edit}"),
    "/segments": ("/segments",),
    "/segments/new": ("/segments/new",),
    "/segments/{segment_id}": ("/segments/{segment}",),
    "/search": ("/search", "/search?q=prices"),
    "/trash": ("/trash",),
    "/copilot": ("/copilot", "/copilot?at=/deals/{deal}"),
    "/tasks": ("/tasks",),
    "/tasks/{task_id}": ("/tasks/{task}",),
    "/meetings": ("/meetings",),
    "/meetings/{meeting_id}": ("/meetings/{meeting}",),
    "/notifications": ("/notifications",),
    "/records/{record_kind}/{record_id}/{part}": tuple(
        f"/records/{kind}/{{{kind}}}/{part}"
        for kind in ("contact", "company", "lead", "deal")
        for part in (_PARTS if kind in ("contact", "company") else _PARTS[:3])
    ),
    "/runs": ("/runs",),
    "/runs/{run_id}": ("/runs/{run}", "/runs/{run}?view=graph"),
    "/runs/{run_id}/revert": ("/runs/{run}/revert",),
    "/runs/{run_id}/replays/new": ("/runs/{run}/replays/new?step=draft",),
    "/runs/{run_id}/replays/{replay_id}": ("/runs/{run}/replays/{replay}",),
    "/evaluations": ("/evaluations",),
    "/evaluations/{eval_run_id}": ("/evaluations/{evaluation}",),
    "/evaluations/{eval_run_id}/comparison": (
        "/evaluations/{evaluation}/comparison?before={evaluation_before}",
    ),
    "/evaluations/cases/{eval_case_id}": ("/evaluations/cases/{eval_case}",),
    "/seats": ("/seats",),
    "/assignment": ("/assignment?contact=Hildur",),
    "/seats/new": ("/seats/new",),
    "/seats/{bidi_id}": ("/seats/{seat}",),
    "/settings": ("/settings",),
    "/settings/organization": ("/settings/organization",),
    "/commissions": ("/commissions",),
    "/settings/sign-in": ("/settings/sign-in",),
    "/settings/members": ("/settings/members",),
    "/settings/members/{member_id}": ("/settings/members/{member}",),
    "/settings/teams": ("/settings/teams",),
    "/settings/teams/{team_id}": ("/settings/teams/{team}",),
    "/first-steps": ("/first-steps",),
    "/settings/roles": ("/settings/roles",),
    "/organizations": ("/organizations",),
    "/join/{secret}": ("/join/{invitation_secret}",),
    "/audit": ("/audit", "/audit?via=page&subject_kind=contact"),
    "/settings/privacy": ("/settings/privacy?contact=Hildur",),
    "/settings/privacy/{privacy_request_id}": ("/settings/privacy/{privacy_request}",),
    "/settings/fields": ("/settings/fields",),
    "/settings/fields/{custom_field_id}": ("/settings/fields/{field}",),
    "/settings/tags": ("/settings/tags",),
    "/settings/tags/{tag_id}": ("/settings/tags/{tag}",),
    "/settings/api-keys": ("/settings/api-keys",),
    "/settings/webhooks": ("/settings/webhooks",),
    "/settings/webhooks/{webhook_id}": ("/settings/webhooks/{webhook}",),
    "/settings/webhooks/deliveries/{webhook_delivery_id}": ("/settings/webhooks/deliveries/{delivery}",),
    "/design": ("/design",),
    "/contacts": ("/contacts?view={view}", "/contacts?q=nobody+like+this"),
    "/contacts/{record_id}/cells/{name}": ("/contacts/{contact}/cells/title",),
    "/companies": ("/companies",),
    "/companies/{record_id}/cells/{name}": ("/companies/{company}/cells/domain",),
    "/leads": ("/leads",),
    "/leads/{record_id}/cells/{name}": ("/leads/{lead}/cells/source",),
    "/deals/table": ("/deals/table",),
    "/deals/table/{record_id}/cells/{name}": ("/deals/table/{deal}/cells/amount",),
    "/deals": ("/deals?pipeline={pipeline}",),
    "/contacts/new": ("/contacts/new",),
    "/contacts/{record_id}": ("/contacts/{contact}", "/contacts/{trashed}"),
    "/contacts/{contact_id}/consents": ("/contacts/{contact}/consents",),
    "/contacts/{record_id}/fields/{name}": ("/contacts/{contact}/fields/note",),
    "/companies/new": ("/companies/new",),
    "/companies/{record_id}": ("/companies/{company}",),
    "/companies/{record_id}/fields/{name}": ("/companies/{company}/fields/owner_id",),
    "/leads/new": ("/leads/new",),
    "/leads/{record_id}": ("/leads/{lead}",),
    "/leads/{record_id}/fields/{name}": ("/leads/{lead}/fields/next_step",),
    "/deals/new": ("/deals/new",),
    "/deals/{record_id}": ("/deals/{deal}",),
    "/deals/{record_id}/fields/{name}": ("/deals/{deal}/fields/company_id",),
    "/leads/{record_id}/move": ("/leads/{lead}/move?stage_id={later_stage}",),
    "/deals/{record_id}/move": ("/deals/{deal}/move?stage_id={later_stage}",),
}
# What answers a GET and is no page to look at.
NO_PAGES = {
    "/session/issuer/link": "only for a token that a mail has; test_issuers.py goes there",
    "/session/issuer/return": "where an issuer sends browsers back to; test_issuers.py goes there",
    "/": "leads on to the inbox",
    "/mails": "not there with a mail server; it is looked at in tests/web/test_accounts.py",
    "/attachments/{attachment_id}": "a file",
    "/knowledge/{document_id}/versions/{number}/file": "a file",
    "/imports/{import_id}/reasons.csv": "a file",
    "/exports/{kind}.{form}": "a file",
    "/audit/entries.{form}": "a file",
    "/settings/privacy/{privacy_export_id}/file": "a file",
    "/files/{file_id}/content": "a file",
    "/search/palette": "what the palette lists; it is looked at open, in test_palette.py",
    "/search/records": "what a field that leads to a record lists; it is looked at open, in test_pickers.py",
    "/notifications/bell": "an entry of the navigation, which every page has",
    "/contacts/{record_id}/row": "a row of a table",
    "/companies/{record_id}/row": "a row of a table",
    "/leads/{record_id}/row": "a row of a table",
    "/deals/table/{record_id}/row": "a row of a table",
    "/live": "a stream",
    "/live/changes": "a stream",
    "/live/records": "a stream",
    "/live/copilot/{chat_id}": "a stream",
    "/copilot/chats": "a part of the panel",
    "/copilot/{chat_id}": "each member's own: test_copilot.py looks at it",
    "/copilot/questions/{question_id}": "a part of its chat",
}


async def make_things(stage: Stage, conversation: Conversation) -> dict[str, UUID | str]:
    """Records of every kind, by the names that `PLACES` has for them; the conversation is there already."""
    await until(lambda: _ended_run(stage, conversation))
    prices = await read_document(stage, "Prices.md", PRICES.encode())
    scan = await read_document(stage, "Scan.pdf", papers.scanned_pdf())
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        things = {
            **await _make_records(tx),
            **await _make_lists(tx),
            **await _make_duplicates(tx),
            **await _make_team(tx),
            **await _make_approvals(tx, stage, conversation),
        }
    return {
        "conversation": conversation.id,
        "seat": stage.world.bidi_id,
        "prices": prices.id,
        "scan": scan.id,
        "import": await _uploaded(stage),
        "mail": await _mail(stage),
        **things,
        **await _tested_webhook(stage),
        **await _evaluated(stage),
    }


async def _ended_run(stage: Stage, conversation: Conversation) -> bool:
    """The draft is there a moment before its run has ended, and only then it can be run again."""
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        runs = (await list_runs(tx, conversation_id=conversation.id)).items
    return bool(runs) and runs[0].status is RunStatus.SUCCEEDED


async def _make_records(tx: Tx) -> dict[str, UUID]:
    pipeline = await create_pipeline(tx, "Warehouses")
    stages = {one.name: one for one in await list_stages(tx, pipeline.id)}
    rules = (Rule("field", field="close_date"), Rule("stakeholder", role="decision_maker"))
    await update_stage(tx, stages["Meeting"].id, StageEdit(exit_rules=rules))
    company = await create_company(tx, NewCompany("Nordlicht Häfen", industry="Ports"))
    contact = await create_contact(tx, NewContact("Hildur Vestergaard", title="Buyer", company_id=company.id))
    trashed = await create_contact(tx, NewContact("Gone Away"))
    await tx.execute("UPDATE contacts SET deleted_at = now() WHERE id = %(id)s", id=trashed.id)
    lead = await create_lead(tx, NewLead(contact.id, stage_id=stages["Qualified"].id))
    deal = await create_deal(
        tx, NewDeal("40 scanners", stages["Meeting"].id, company.id, contact.id, amount_minor=816_000)
    )
    starts_at = clock.now() + timedelta(hours=2)
    meeting = await create_meeting(tx, NewMeeting("Demo", starts_at, starts_at + timedelta(hours=1)))
    await remove_note(tx, (await create_note(tx, RecordRef(RecordKind.CONTACT, contact.id), "A demo")).id)
    return {
        "pipeline": pipeline.id,
        "later_stage": stages["Proposal"].id,
        "company": company.id,
        "contact": contact.id,
        "trashed": trashed.id,
        "privacy_request": (await make_request(tx, RequestKind.ERASURE, contact.id, "Asked by mail.")).id,
        "lead": lead.id,
        "deal": deal.id,
        "meeting": meeting.id,
        "task": (await create_task(tx, NewTask("Call Hildur", due_at=clock.now()))).id,
    }


async def _make_team(tx: Tx) -> dict[str, UUID | str]:
    """A colleague, and an invitation for whoever has its link."""
    colleague = await create_stand_in(tx, name="Milo Member", role=Role.SUPERVISOR, locale="en")
    member_id = await find_member_id(tx, colleague)
    assert member_id is not None
    sent = await invite(tx, email=None, role=Role.VIEWER)
    team = await create_team(tx, f"North {uuid7().hex[-6:]}", member_ids=[member_id], lead_id=member_id)
    slug = (await get_organization(tx)).slug
    service = NewProvider("Lind ID", "https://id.lind.example", "getsale", "hush")
    if await find_provider(tx) is None:
        await set_provider(tx, service, version=0, reach=Reach(), keys=Keyring(KEY))
    return {"team": team.id, "member": member_id, "invitation_secret": sent.secret, "door": slug}


async def _make_approvals(tx: Tx, stage: Stage, conversation: Conversation) -> dict[str, UUID]:
    """What the conversation's agent asks about, and the draft that it proposed."""
    (run, *_) = (await list_runs(tx, conversation_id=conversation.id)).items
    (draft, *_) = (await list_drafts(tx, conversation_id=conversation.id)).items
    asked = await ask_to_rename(tx, run.id, stage.world.bidi_id, conversation.contact_id)
    approval = await find_approval_id(tx, draft.id)
    assert approval is not None
    suggested = await suggest_to_keep(tx, run.id, stage.world.bidi_id, conversation)
    return {
        "run": run.id,
        "replay": (await ask_replay(tx, NewReplay(run.id, "draft"))).id,
        "asked": asked,
        "draft_approval": approval,
        "suggestion": suggested["suggestion_id"],
    }


async def _evaluated(stage: Stage) -> dict[str, UUID]:
    """Two runs of a few cases, and a case of the second."""
    settings = Settings(redis_url=stage.urls.redis_url, data=stage.fleet.folder, secret_key=SecretStr(KEY))
    examiner = Examiner(stage.world.db, settings, lambda _: OfflineModel())
    before, _ = await evaluate(stage.world.db, stage.world.owner, examiner, make_cases(2))
    after, cases = await evaluate(stage.world.db, stage.world.owner, examiner, make_cases(3))
    return {"evaluation_before": before.id, "evaluation": after.id, "eval_case": cases[0].id}


async def _make_lists(tx: Tx) -> dict[str, UUID]:
    """A segment of every kind of condition, a view, an edit to be filled in, one that was tried, a field, a tag."""
    kept = {
        "any": [
            {"field": "name", "op": "contains", "value": "a"},
            {"not": {"all": [{"field": "language", "op": "any_of", "value": ["en", "ru"]}]}},
            {"field": "created_at", "op": "last_days", "value": 5},
            {"field": "company_employees", "op": "between", "value": [1, 5]},
        ]
    }
    name = uuid7().hex  # tests share the stage
    person = await create_contact(tx, NewContact(f"Anna {name[-6:]}"))
    draft = await create_bulk_edit(tx, NewBulkEdit(RecordKind.CONTACT, (person.id,)))
    tried = await create_bulk_edit(
        tx, NewBulkEdit(RecordKind.CONTACT, (person.id,)), Changes(set={"title": "CEO"})
    )
    choices = (Choice("small", "Small"), Choice("big", "Большой"))
    size = NewCustomField(RecordKind.CONTACT, "Size", ValueKind.CHOICE, key=f"size_{name}", choices=choices)
    await ensure_tag(tx, "Exhibition")
    return {
        "segment": (await create_segment(tx, NewSegment(RecordKind.CONTACT, name, kept))).id,  # type: ignore[arg-type]
        "view": (await create_view(tx, NewView(RecordKind.CONTACT, name, is_shared=True))).id,
        "draft_edit": draft.id,
        "tried_edit": tried.id,
        "field": (await create_custom_field(tx, size)).id,
        "tag": (await ensure_tag(tx, "Fair")).id,
    }


async def _make_duplicates(tx: Tx) -> dict[str, UUID]:
    """One woman in two alphabets at one company, and two people who were merged."""
    company = await create_company(tx, NewCompany("Ромашка", domain=f"romashka{uuid7().hex}.example"))
    one, other = [
        await create_contact(tx, NewContact(name, title=title, company_id=company.id))
        for name, title in (("Жанна Щербинина", "Закупки"), ("Zhanna Shcherbinina", "Head of procurement"))
    ]
    await look_for_matches(tx, [one.id, other.id])
    ann, anna = [await create_contact(tx, NewContact(name)) for name in ("Ann Berg", "Anna Berg")]
    merge = await merge_records(tx, RecordKind.CONTACT, ann.id, anna.id)
    return {"twin": one.id, "other_twin": other.id, "merge": merge.id}


async def _uploaded(stage: Stage) -> UUID:
    """A table whose columns are to be looked over."""
    owner, content = stage.world.owner, csv_bytes([["Name", "Email"], ["Vera Lind", "vera@lind.example"]])
    files = Blobs(stage.fleet.folder).apart(UPLOADS)
    key = await files.put(owner.organization_id, content)
    survey = await reader.survey(files.path(owner.organization_id, key))
    async with stage.world.db.transaction(owner, "test") as tx:
        new = NewTable("people.csv", key, len(content), survey)
        return (await imports.create_table_import(tx, new, RecordKind.CONTACT)).id


async def _mail(stage: Stage) -> UUID:
    """A mail whose answered text was cut."""
    post = await make_post(stage.world.db, stage.world.owner, address=f"sales{uuid7().hex}@getsale.example")
    await post.receive(written("Is it still 17 euros?\n\nOn Thu, 26 Nov 2026, Sales wrote:\n> It is 17.\n"))
    return next(one.id for one in await post.messages() if "17 euros" in one.body)


async def _tested_webhook(stage: Stage) -> dict[str, UUID]:
    """An endpoint that is not there, and the test that was sent to it in vain."""
    new = NewWebhook("https://nobody.invalid/hooks", ("contact.created",), "The warehouse")
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        made = await webhooks.create_webhook(tx, new, reach=Reach(), keys=Keyring(KEY))
        delivery = await webhooks.send_test(tx, made.webhook.id)

    async def tried() -> bool:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            return any(attempt.error for attempt in await list_attempts(tx, delivery.id))

    await until(tried)
    return {"webhook": made.webhook.id, "delivery": delivery.id}
