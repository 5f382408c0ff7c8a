"""One organization in full, built by the product's own actions: the same twice, but for the victim's canaries."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from pydantic import JsonValue

from core import clock
from core.addresses import Reach
from core.blobs import Blobs
from core.db import Database, Tx
from core.envelopes import Keyring
from core.filters import ValueKind
from core.ids import uuid7
from core.principal import Principal, PrincipalKind, system
from core.settings import Settings
from crm.api_keys.actions import create_api_key
from crm.assignment.models import Assigned, NewRule, Way
from crm.assignment.rules import create_rule
from crm.audit.actions import ask_verification
from crm.bidi.partners import seat_partner
from crm.bidi.queries import get_bidi
from crm.bulk.actions import create_bulk_edit
from crm.bulk.models import Changes, NewBulkEdit
from crm.commissions.actions import follow_deal
from crm.companies.actions import create_company
from crm.companies.models import NewCompany
from crm.companies.suggestions import look_at_batch as look_at_companies
from crm.contacts.actions import create_contact, update_contact
from crm.contacts.matches import MatchReason, note_match
from crm.contacts.models import ContactEdit, NewContact
from crm.contacts.queries import get_contact
from crm.contacts.suggestions import look_at_batch
from crm.conversations import actions as conversations
from crm.conversations.attachments import list_pending, store_attachment
from crm.conversations.models import HandoffReason, InboundAttachment, InboundMessage
from crm.conversations.queries import list_messages
from crm.copilot import actions as copilot
from crm.copilot.models import Citation
from crm.custom_fields.actions import create_custom_field
from crm.custom_fields.models import Choice, NewCustomField
from crm.deals.actions import add_stakeholder, create_deal
from crm.deals.models import NewDeal
from crm.evaluations import actions as evaluations
from crm.evaluations.judgings import Judgement, NewJudging, record_judging
from crm.evaluations.models import CaseResult, NewEvalCase, NewEvalRun
from crm.evaluations.queries import list_eval_cases
from crm.facts.actions import assert_relation, assert_text
from crm.files.actions import add_file
from crm.files.models import NewFile
from crm.identity.actions import create_organization, create_user
from crm.identity.invitations import invite
from crm.identity.models import SCOPES, Role
from crm.identity.providers import NewProvider, set_provider
from crm.identity.queries import find_member_id
from crm.identity.sessions import open_session
from crm.identity.teams import create_team
from crm.knowledge import actions as knowledge
from crm.knowledge.models import File, Reading
from crm.knowledge.queries import newest_version
from crm.leads.actions import create_lead
from crm.leads.models import NewLead
from crm.meetings.actions import create_meeting
from crm.meetings.models import NewMeeting
from crm.merges.actions import merge_records
from crm.notes.actions import create_note
from crm.notifications.actions import tell_of_task
from crm.notifications.models import NotificationKind
from crm.pipelines.actions import create_pipeline
from crm.pipelines.models import Outcome
from crm.pipelines.queries import list_pipelines, list_stages
from crm.privacy.actions import make_request
from crm.privacy.models import RequestKind
from crm.records.models import RecordRef
from crm.runs import visits
from crm.runs.actions import QuietWindow, RunRequest, claim_run, request_run
from crm.runs.queries import list_runs
from crm.runs.replays import DryCall, NewReplay, ReplayResult, ask_replay, record_replay
from crm.search import actions as search
from crm.search.models import FoundKind
from crm.segments.actions import create_segment
from crm.segments.models import NewSegment
from crm.tags.actions import create_tag
from crm.tasks.actions import create_task
from crm.tasks.models import NewTask
from crm.views.actions import create_view
from crm.views.models import NewView
from crm.webhooks.actions import create_webhook, send_test
from crm.webhooks.models import NewWebhook
from events.ids import ContactId, RecordKind, RunId, UserId
from graph.postgres import PostgresGraph
from graph.projector import rebuild
from memory import store
from memory.documents.models import Chunk
from memory.embeddings.fake import FakeEmbedder
from memory.models import NewTurn, Version
from tests.support.asking import ask_to_rename
from tests.support.importing import Importing
from tests.support.isolation.catalogue import Admin, Catalogue
from tests.support.mail import make_post, written
from tests.support.office import Office
from tests.support.organizations import add_member
from tests.support.suggesting import suggest_to_keep
from tests.support.world import World, make_world
from tools.base import RunContext

# text -> the text as this organization has it
Say = Callable[[str], str]

# Whom a probe may take out of the organization.
SPARE = "Spare Member"
CHAT, BOT_TOKEN = "700000001", "1000001:the same token"
HANDLES = (
    ("telegram_id", CHAT),
    ("telegram_username", "vera_lind"),
    ("email", "vera@lind.example"),
    ("phone", "+4640123456"),
)


@dataclass
class Tenant:
    """An organization with its people, its rows and an agent's run that is under way."""

    owner: Principal
    world: World
    blobs: Blobs
    people: dict[Role, Principal] = field(default_factory=dict)
    sessions: dict[Role, str] = field(default_factory=dict)
    keys: dict[Role, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    ctx: RunContext | None = None

    @property
    def id(self) -> UUID:
        return self.owner.organization_id

    @property
    def db(self) -> Database:
        return self.world.db

    async def receive(self, text: str, *, files: tuple[str, ...] = ()) -> None:
        """The contact writes; both organizations get the same message and update ids."""
        number = len(self.ids.setdefault("_received", [])) + 1
        self.ids["_received"].append(str(number))
        inbound = InboundMessage(
            update_id=f"{number}",
            chat_id=CHAT,
            message_id=f"{number}",
            sender_name="Vera Lind",
            sender_language="en",
            handles=HANDLES[:2],
            text=text,
            occurred_at=clock.now(),
            attachments=tuple(InboundAttachment(f"f{name}", name, "text/plain", 9) for name in files),
        )
        async with self.db.transaction(self.owner, "test") as tx:
            await conversations.receive_message(tx, self.world.account, inbound)


async def build_tenant(db: Database, settings: Settings, name: str, say: Say) -> Tenant:
    """People of every role, Vera Lind and whom she knows, a thread, runs, drafts, files and the graph's copy."""
    organization_id, owner_id = uuid7(), uuid7()
    owner = Principal(PrincipalKind.USER, owner_id, organization_id, scopes=frozenset({"*"}))
    async with db.transaction(system(organization_id), "test") as tx:
        await create_organization(
            tx, slug=f"{name}-{organization_id}", name=say("Lind Sales"), locale="en", time_zone="UTC"
        )
    people = await _people(db, name, say, owner)
    owner = people[Role.OWNER]
    world = await make_world(db, owner, token=BOT_TOKEN)
    world.chat_id, world.handles = CHAT, HANDLES
    tenant = Tenant(owner, world, Blobs(settings.data), people)
    async with db.transaction(owner, "test") as tx:
        # the first one, for probes to end
        await open_session(tx)
    for role, person in people.items():
        async with db.transaction(person, "test") as tx:
            tenant.sessions[role] = await open_session(tx)
            tenant.keys[role] = (await create_api_key(tx, UserId(person.id), name=say("a script"))).secret
    await _records(tenant, say)
    await _thread(tenant, settings, say)
    await _mail(tenant, say)
    await _document(tenant, say)
    await _table(tenant, settings, say)
    await _webhook(tenant, settings, say)
    await _kept_lists(tenant, say)
    await _evaluation(tenant, say)
    await _duplicates(tenant, say)
    await _copilot(tenant, say)
    await _program(tenant)
    await _team(tenant, settings, say)
    await _privacy(tenant, say)
    await rebuild(db, owner, PostgresGraph(db))
    await _found(tenant)
    return tenant


async def _copilot(tenant: Tenant, say: Say) -> None:
    """A question that was answered, and one that waits."""
    async with tenant.db.transaction(tenant.people[Role.OWNER], "test") as tx:
        asked = await copilot.start_chat(tx, say("Who decides about scanners?"))
        await copilot.keep_answer(
            tx, asked.run_id, say("Vera Lind decides. [1]"), [Citation(1, "contact", uuid7(), say("Vera"))]
        )
        await copilot.ask(tx, asked.chat_id, say("Since when?"))


async def _team(tenant: Tenant, settings: Settings, say: Say) -> None:
    """Somebody who can be kept out and removed without an asker being lost, an invitation, and an issuer of both's."""
    spare = await add_member(tenant.db, tenant.owner, Role.VIEWER)
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        await tx.execute(
            "UPDATE members SET name = %(name)s WHERE user_id = %(id)s", name=say(SPARE), id=spare.id
        )
        await invite(tx, email="tomas@lind.example", role=Role.BIDI)
        own_id = await find_member_id(tx, tenant.owner.id)
        assert own_id is not None
        await create_team(tx, say("North"), member_ids=[own_id], lead_id=own_id)
        partner_id = await seat_partner(tx, UserId(spare.id), say("Petra Partner"), 1000)
        (pipeline, *_) = await list_pipelines(tx)
        won = next(one for one in await list_stages(tx, pipeline.id) if one.outcome is Outcome.WON)
        sold = await create_deal(tx, NewDeal(say("Racks"), won.id, amount_minor=5_000, bidi_id=partner_id))
        await follow_deal(tx, sold.id)
        service = NewProvider(say("Lind ID"), "https://id.lind.example", "getsale", "hush", "lind.example")
        key = settings.secret_key.get_secret_value()
        await set_provider(tx, service, version=0, reach=Reach(), keys=Keyring(key))


async def _privacy(tenant: Tenant, say: Say) -> None:
    """Somebody asked what is known about them."""
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        asking = await create_contact(tx, NewContact(say("Ines Alba")))
        await make_request(tx, RequestKind.EXPORT, asking.id, say("Asked by mail"))


async def _program(tenant: Tenant) -> None:
    """A program of the owner's that calls tools."""
    async with tenant.db.transaction(tenant.people[Role.OWNER], "test") as tx:
        await visits.enter(tx, uuid7())


async def _table(tenant: Tenant, settings: Settings, say: Say) -> None:
    """A file of people that waits to be imported."""
    rows = [["Name", "Email"], [say("Oleg Zuev"), "oleg@zuev.example"]]
    await Importing(tenant.db, tenant.owner, settings.data).upload(rows, RecordKind.CONTACT)


async def _people(db: Database, name: str, say: Say, maker: Principal) -> dict[Role, Principal]:
    people = {}
    for role in Role:
        async with db.transaction(maker, "test") as tx:
            user_id = await create_user(
                tx,
                email=f"{say(role)}@{name}.example".replace(" ", "."),
                name=say("Ilya Kern"),
                password="correct horse battery",
                role=role,
                locale="en",
            )
        people[role] = Principal(PrincipalKind.USER, user_id, maker.organization_id, scopes=SCOPES[role])
    return people


async def _records(tenant: Tenant, say: Say) -> None:
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        vera = await create_contact(
            tx,
            NewContact("Vera Lind", title=say("Head of operations"), note=say("Likes tea"), handles=HANDLES),
        )
        tomas = await create_contact(tx, NewContact(say("Tomas Ferreira"), title=say("Procurement")))
        company = await create_company(
            tx,
            NewCompany("Lind Logistics", domain="lind.example", city=say("Malmö"), about=say("Warehouses")),
        )
        for contact in (vera, tomas):
            version = (await get_contact(tx, contact.id)).version
            edit = ContactEdit(company_id=company.id)
            await update_contact(tx, contact.id, edit, version=version)
        pipeline = await create_pipeline(tx, say("Sales"))
        stage = (await list_stages(tx, pipeline.id))[0]
        deal = await create_deal(
            tx, NewDeal(say("40 scanners"), stage.id, company_id=company.id, contact_id=vera.id)
        )
        await create_lead(tx, NewLead(tomas.id, source=say("A fair")))
        await add_stakeholder(tx, deal.id, tomas.id, "decision_maker")
        about = ("company", company.id)
        await assert_text(
            tx, subject=about, predicate="price", text=say("50 scanners cost €17 each"),
            source_label=say("Price list"),
        )  # fmt: skip
        await assert_text(
            tx,
            subject=("contact", vera.id),
            predicate="budget",
            text=say("Budget is 9000"),
            is_confirmed=False,
        )
        for who in (("user", tenant.owner.id), ("contact", vera.id)):
            await assert_relation(
                tx, subject=who, predicate="knows", object=("contact", tomas.id), strength=0.7,
                text=say("met at a fair"), source_label=say("Notes"),
            )  # fmt: skip
        await _activities(
            tx, tenant, say, RecordRef(RecordKind.CONTACT, vera.id), RecordRef(RecordKind.DEAL, deal.id)
        )


async def _activities(tx: Tx, tenant: Tenant, say: Say, vera: RecordRef, deal: RecordRef) -> None:
    """What people noted down, planned and were told of; the attacker's and the victim's look the same."""
    task = await create_task(
        tx, NewTask(say("Send the price"), deal, description=say("With a discount"), due_at=clock.now())
    )
    await create_note(tx, vera, say("Likes tea with milk"))
    starts_at = clock.now() + timedelta(days=1)
    await create_meeting(
        tx,
        NewMeeting(
            say("Demo in Malmö"),
            starts_at,
            starts_at + timedelta(hours=1),
            place=say("Warehouse 2"),
            record=deal,
            contact_ids=(ContactId(vera.id),),
        ),
    )
    content = say("The offer").encode()
    key = await tenant.blobs.put(tenant.id, content)
    await add_file(tx, vera, NewFile(say("Offer"), "application/pdf", len(content), key))
    await tell_of_task(tx, task.id, NotificationKind.TASK_DUE, uuid7())


async def _thread(tenant: Tenant, settings: Settings, say: Say) -> None:
    """Messages with a file, a run that ended in a draft, one sent by hand, and a run that is leased."""
    await tenant.receive(say("What do 50 scanners cost?"), files=(say("plan.txt"),))
    office = Office(tenant.world, settings)
    embedder = FakeEmbedder()
    answered = await office.request()
    await office.work(answered)
    await _run_again(tenant, answered, say)
    conversation = await tenant.world.conversation()
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        (message,) = await list_messages(tx, conversation.id, last=1)
        for attachment in await list_pending(tx, message.id):
            content = say("The plan of the warehouse").encode()
            key = await tenant.blobs.put(tenant.id, content)
            await store_attachment(tx, conversation.id, attachment, blob_key=key, size_bytes=len(content))
        turn = NewTurn(message.id, message.seq, say("Vera Lind"), False, message.body, message.occurred_at)
        await store.remember_turns(tx, conversation, [turn])
        await store.remember_summary(
            tx, conversation, episode=0, text=say("Vera asks for a price"), occurred_at=message.occurred_at
        )
        waiting = await store.list_unembedded(tx, conversation.id, limit=10)
        vectors = await embedder.embed_passages([memory.passage() for memory in waiting])
        await store.store_vectors(tx, embedder.name, waiting, vectors)
        await conversations.hand_off(
            tx,
            conversation.id,
            reason=HandoffReason.CUSTOMER_REQUEST,
            summary=say("Asked for a person"),
            next_step=say("Call Vera"),
        )
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        request = RunRequest(tenant.world.bidi_id, "inbox", conversation.id)
        run_id = await request_run(tx, request, QuietWindow(0, 0))
        assert run_id is not None
        run = await claim_run(tx, run_id, 3600)
        assert run is not None
        bidi = await get_bidi(tx, tenant.world.bidi_id)
        (_, drafting, *_) = (await list_runs(tx, conversation_id=conversation.id)).items
        await ask_to_rename(tx, drafting.id, bidi.id, conversation.contact_id, say=say)
        await suggest_to_keep(tx, drafting.id, bidi.id, conversation, say=say)
    principal = bidi.principal(run.id)
    tenant.ctx = RunContext(run, bidi, principal, is_tainted=False, model="test", prompt="inbox/draft@1")


async def _mail(tenant: Tenant, say: Say) -> None:
    """A mail under a Message-ID that the other organization has too."""
    post = await make_post(tenant.db, tenant.owner)
    await post.receive(written(say("And by mail?"), subject=say("Price"), mail_id="the-same@lind.example"))


async def _document(tenant: Tenant, say: Say) -> None:
    """A price list that was read: its file, its version and what agents find in it."""
    content = say("50 scanners cost €17 each").encode()
    key = await tenant.blobs.put(tenant.id, content)
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        file = File("Price list.txt", key, len(content))
        document_id, _ = await knowledge.add_document(tx, file)
        version = await newest_version(tx, document_id)
        await knowledge.record_read(tx, version, Reading("text/plain", ("en",), None, 1))
        live = Version(document_id, version.id, "Price list.txt", True, clock.now())
        await store.insert_chunks(tx, live, [Chunk(content.decode(), "en", 1, heading=(say("Prices"),))])


async def _found(tenant: Tenant) -> None:
    """Everything of it is found by the search box."""
    for kind in FoundKind:
        async with tenant.db.transaction(tenant.owner, "test") as tx:
            await search.index_next(tx, kind)


async def _duplicates(tenant: Tenant, say: Say) -> None:
    """Suggested pairs, and two contacts who were merged."""
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        names = ("V. Lindqvist", "W. Lindqvist", "Ann Berg", "Anna Berg")
        one, other, kept, merged = [await create_contact(tx, NewContact(say(name))) for name in names]
        await note_match(tx, one.id, other.id, MatchReason.SAME_HANDLE, say("a number of both"))
        await look_at_batch(tx)
        for name in ("Lindqvist Cargo", "Lindqvist Cargo Ltd"):
            await create_company(tx, NewCompany(say(name)))
        await look_at_companies(tx)
        await merge_records(tx, RecordKind.CONTACT, kept.id, merged.id)


async def _webhook(tenant: Tenant, settings: Settings, say: Say) -> None:
    """An endpoint under an address that the other organization has too, a test on its way to it, and a check of the audit."""
    new = NewWebhook("https://lind.example/hooks", ("*",), say("The warehouse"))
    key = settings.secret_key.get_secret_value()
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        made = await create_webhook(tx, new, reach=Reach(), keys=Keyring(key))
        await send_test(tx, made.webhook.id)
        await ask_verification(tx)


async def _kept_lists(tenant: Tenant, say: Say) -> None:
    """A segment and a view that look for the tenant's own words, and an edit that would write some."""
    kept: dict[str, JsonValue] = {"field": "name", "op": "contains", "value": say("Vera")}
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        buyers = await create_segment(tx, NewSegment(RecordKind.CONTACT, say("Our buyers"), kept))
        takes = (tenant.world.bidi_id,)
        rule = NewRule(Assigned.LEAD, say("Our leads"), Way.IN_TURN, takes, segment_id=buyers.id)
        await create_rule(tx, rule)
        await create_view(tx, NewView(RecordKind.CONTACT, say("Our list"), kept, is_shared=True))
        new = NewBulkEdit(RecordKind.CONTACT, filter={})
        await create_bulk_edit(tx, new, Changes(set={"note": say("A note for all of them")}))
        choices = (Choice("large", say("Large")),)
        size = NewCustomField(RecordKind.CONTACT, say("Size of the store"), ValueKind.CHOICE, choices=choices)
        await create_custom_field(tx, size)
        for word in ("Fair", "Exhibition"):
            await create_tag(tx, say(word))


async def _run_again(tenant: Tenant, run_id: RunId, say: Say) -> None:
    """The run once more from where it wrote, with a prompt of ours."""
    call = DryCall("draft_reply", {"body": say("Another reply")}, "allow", "done", say("why"))
    result = ReplayResult(
        "drafted",
        say("a reason"),
        say("Another reply"),
        [{"kind": "promise", "value": say("soon")}],
        [call],
        say("m"),
    )
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        new = NewReplay(run_id, "draft", prompts={"inbox/draft": say("You are {{ seat }}.")})
        await record_replay(tx, (await ask_replay(tx, new)).id, result)


async def _evaluation(tenant: Tenant, say: Say) -> None:
    """An evaluation of one case that was played, with what the agent said in it."""
    case = NewEvalCase(say("a case"), "en", {"burst": [say("What do you know about us?")]})
    new = NewEvalRun("triage", say("a model"), {}, "1", "0" * 64, 0, [case])
    async with tenant.db.transaction(tenant.owner, "test") as tx:
        run = await evaluations.start_eval_run(tx, new)
        played = (await list_eval_cases(tx, run.id))[0]
        result = CaseResult(True, {}, {"draft": {"body": say("Nothing")}})
        await evaluations.record_case(tx, played.id, result)
        await evaluations.finish_eval_run(tx, run.id, {}, is_passed=True)
        judgement = Judgement(played.id, "faithfulness", None, say("The judge was away"))
        await record_judging(tx, run.id, NewJudging(say("a judge"), "ragas", {}, 0, [judgement]))


async def contents(admin: Admin, catalogue: Catalogue, organization_id: UUID) -> dict[str, str]:
    """Every row of an organization by table, as text: equal texts, equal rows."""
    parts = []
    for table in catalogue.tenant_tables:
        parts.append(
            f"SELECT '{table.name}' AS name, coalesce(string_agg(to_jsonb(t)::text, chr(10) ORDER BY to_jsonb(t)::text), '')"
            f" AS rows FROM {table.name} t WHERE organization_id = %(id)s"
        )
    parts.append(
        "SELECT 'users', coalesce(string_agg(to_jsonb(u)::text, chr(10) ORDER BY id), '') FROM users u"
        " WHERE id IN (SELECT user_id FROM members WHERE organization_id = %(id)s)"
    )
    query = " UNION ALL ".join(parts)
    found = await (await admin.execute(query.encode(), {"id": organization_id})).fetchall()
    return {row["name"]: row["rows"] for row in found}


def ids_by_table(rows: dict[str, str]) -> dict[str, list[str]]:
    """The ids of an organization's rows; a table without a column `id` is known by its first id."""
    found: dict[str, list[str]] = {}
    for table, text in rows.items():
        for line in filter(None, text.split("\n")):
            row = json.loads(line)
            if "id" in row:
                found.setdefault(table, []).append(str(row["id"]))
            if table == "members":
                kind = "members to spare" if row["name"].startswith(SPARE) else "members who stay"
                found.setdefault(kind, []).append(str(row["id"]))
            if table == "messages" and row["address"]:
                found.setdefault("messages by mail", []).append(str(row["id"]))
    return found
