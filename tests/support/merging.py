"""Two contacts, or companies, with random belongings, and everything an organization has in its tables."""

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from core import clock
from core.db import Database, Tx
from core.ids import uuid7
from core.principal import Principal
from crm.merges.references import VERSIONED

# Tables that remember what was done: they only grow. `due_work` is what is still to do.
HISTORY = {
    "events", "event_changes", "event_origins", "event_subjects", "event_deliveries", "audit_waiting", "audit_links", "merges", "merge_rows", "due_work", "contact_matches",
    "company_matches",
}  # fmt: skip
# They only grow too: a version that went back would let a stale edit through.
GROWING = {table: {"version", "updated_at"} for table in VERSIONED}


async def insert(tx: Tx, table: str, **values: object) -> UUID:
    """One row with an id, in this organization."""
    given = {"organization_id": tx.organization_id, "id": uuid7(), **values}
    names = [name for name, value in given.items() if value is not ...]
    await tx.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join(map(sql.Placeholder, names)),
        ),
        **{name: Jsonb(given[name]) if isinstance(given[name], dict) else given[name] for name in names},
    )
    return UUID(str(given["id"])) if given["id"] is not ... else uuid7()


async def dump(database: Database, principal: Principal) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the organization, in a fixed order."""
    rows: dict[str, list[dict[str, Any]]] = {}
    async with database.transaction(principal, "test_dump") as tx:
        tables = await tx.value(
            """
            SELECT array_agg(c.relname::text ORDER BY c.relname)
              FROM pg_class c
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind = 'r'
            """
        )
        for table in sorted(set(tables) - HISTORY):
            found = await tx.value(
                sql.SQL(
                    "SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text), '[]') FROM {} AS t"
                ).format(sql.Identifier(table))
            )
            rows[table] = sorted(
                ({k: v for k, v in row.items() if k not in GROWING.get(table, ())} for row in found), key=str
            )
    return rows


class World:
    """The frame that belongings hang in: a company, a pipeline, an account, tags."""

    def __init__(self, tx: Tx, dice: random.Random) -> None:
        self.tx, self.dice = tx, dice

    async def build(self) -> None:
        tx = self.tx
        self.companies = [await insert(tx, "companies", name=f"Firm {n}") for n in range(2)]
        self.others = [await insert(tx, "contacts", name=f"Other {n}") for n in range(2)]
        self.pipelines: list[tuple[UUID, UUID]] = []
        for name in ("Sales", "Partners"):
            pipeline = await insert(tx, "pipelines", name=name)
            stage = await insert(tx, "stages", pipeline_id=pipeline, name="New", position=1)
            self.pipelines.append((pipeline, stage))
        self.deals = [await insert(tx, "deals", name="Shelves", **self._deal()) for _ in range(2)]
        self.account = await insert(tx, "channel_accounts", channel="telegram", name="Desk")
        self.seat = await insert(tx, "bidi", kind="ai", name="Inbox")
        self.tags = [await insert(tx, "tags", name=f"tag {n}") for n in range(3)]
        self.member = await tx.value("SELECT id FROM members")
        self.meetings = [
            await insert(tx, "meetings", title="Demo", **self._hour(), **self._maker()) for _ in range(2)
        ]
        self.draft = await self._conversation(self.others[0])
        self.evidence = 0
        for kind in ("contact", "company", "deal"):
            for target in ("contact", "company"):
                await insert(
                    tx, "custom_fields", record_kind=kind, key=f"{target}_link", label=target, kind="record",
                    target_kind=target, position=1,
                )  # fmt: skip

    async def contact(self, name: str) -> UUID:
        """Somebody with a random part of everything that a contact can have."""
        tx, dice = self.tx, self.dice
        is_suppressed = dice.random() < 0.3
        contact = await insert(
            tx,
            "contacts",
            name=name,
            title=dice.choice(("", "CEO", "Закупки")),
            company_id=dice.choice((None, *self.companies)),
            note=dice.choice(("", "met in Kazan")),
            time_zone=dice.choice((None, "Europe/Moscow")),
            owner_id=dice.choice((None, self.member)),
            custom=self._custom(),
            telegram_consent=dice.random() < 0.7,
            suppressed_at=clock.now() if is_suppressed else None,
            suppressed_reason="asked" if is_suppressed else None,
        )
        for kind in ("email", "phone", "telegram_id", "link"):
            for number in range(dice.randint(0, 2)):
                value = f"{kind}-{uuid7()}-{number}"
                is_primary = number == 0 and dice.random() < 0.7
                await insert(
                    tx, "contact_handles", contact_id=contact, kind=kind, value=value, is_primary=is_primary
                )
        for channel in ("email", "sms", "telegram", "marketing"):
            for _ in range(dice.randint(0, 2)):
                await insert(
                    tx, "contact_consents", contact_id=contact, channel=channel, is_given=dice.random() < 0.5,
                    source="form", recorded_by_kind="user", recorded_by_id=tx.principal.id,
                )  # fmt: skip
        for _ in range(dice.randint(0, 2)):
            await self._conversation(contact)
        for _ in range(dice.randint(0, 2)):
            await insert(tx, "deals", name="Racks", contact_id=contact, **self._deal())
        for pipeline, stage in dice.sample(self.pipelines, dice.randint(0, 2)):
            await insert(tx, "leads", contact_id=contact, pipeline_id=pipeline, stage_id=stage)
        for deal in dice.sample(self.deals, dice.randint(0, 2)):
            role = dice.choice(("champion", "buyer"))
            await insert(tx, "deal_stakeholders", id=..., deal_id=deal, contact_id=contact, role=role)
        for meeting in dice.sample(self.meetings, dice.randint(0, 2)):
            await insert(tx, "meeting_contacts", id=..., meeting_id=meeting, contact_id=contact)
        await self._everywhere("contact", contact)
        return contact

    def _custom(self) -> dict[str, object]:
        return {key: self.dice.randint(1, 9) for key in ("size", "mood") if self.dice.random() < 0.5}

    def _hour(self) -> dict[str, object]:
        return {"starts_at": clock.now(), "ends_at": clock.now() + timedelta(hours=1), "time_zone": "UTC"}

    def _maker(self) -> dict[str, object]:
        return {"created_by_kind": "user", "created_by_id": self.tx.principal.id}

    def _deal(self) -> dict[str, object]:
        pipeline, stage = self.pipelines[0]
        return {"pipeline_id": pipeline, "stage_id": stage, "amount_minor": self.dice.randint(0, 10_000)}

    async def _conversation(self, contact: UUID) -> UUID:
        """A thread with one message, remembered, and an answer that is proposed; returns the draft."""
        tx = self.tx
        conversation = await insert(
            tx, "conversations", channel_account_id=self.account, channel="telegram", contact_id=contact,
            external_id=str(uuid7()), last_message_at=clock.now(),
        )  # fmt: skip
        message = await insert(
            tx, "messages", conversation_id=conversation, channel_account_id=self.account, seq=1, direction="in",
            status="received", body="Hello", author_kind="contact", author_id=contact,
        )  # fmt: skip
        await insert(
            tx, "memories", kind="turn", source_kind="message", source_id=message, thread_id=conversation, ordinal=1,
            conversation_id=conversation, contact_id=contact, text="Hello", length=1, occurred_at=clock.now(),
        )  # fmt: skip
        return await insert(
            tx, "drafts", conversation_id=conversation, contact_id=contact, bidi_id=self.seat, body="Hi",
            based_on_seq=1, content_hash="x",
        )  # fmt: skip

    async def company(self, name: str) -> UUID:
        tx, dice = self.tx, self.dice
        domain = dice.choice((None, f"{uuid7()}.example"))
        company = await insert(
            tx, "companies", name=name, domain=domain, city=dice.choice(("", "Omsk")), custom=self._custom()
        )
        for number in range(dice.randint(0, 2)):
            await insert(tx, "contacts", name=f"Staff {number}", company_id=company)
        for _ in range(dice.randint(0, 2)):
            await insert(tx, "deals", name="Racks", company_id=company, **self._deal())
        await self._everywhere("company", company)
        return company

    async def _everywhere(self, kind: str, record: UUID) -> None:
        """What any record can have."""
        tx, dice = self.tx, self.dice
        for tag in dice.sample(self.tags, dice.randint(0, 3)):
            await insert(tx, "record_tags", id=..., record_kind=kind, record_id=record, tag_id=tag)
        for target in dice.sample(self.others, dice.randint(0, 2)):
            await self.relate((kind, record), ("contact", target))
            if dice.random() < 0.5:
                await self.relate(("contact", target), (kind, record))
        if dice.random() < 0.5:
            await insert(tx, "facts", subject_kind=kind, subject_id=record, predicate="likes", text="tea")
        if dice.random() < 0.5:
            await insert(
                tx,
                "external_ids",
                id=...,
                record_kind=kind,
                source="hubspot",
                external_id=str(uuid7()),
                record_id=record,
            )

        if dice.random() < 0.5:
            self.evidence += 1
            await insert(
                tx, "draft_evidence", id=..., draft_id=self.draft, position=self.evidence, kind=kind, source_id=record,
                label="Who it is",
            )  # fmt: skip
        if dice.random() < 0.5:
            run = await insert(tx, "runs", bidi_id=self.seat, agent="follow_up", due_at=clock.now())
            await insert(
                tx, "suggestions", kind="stalled_deal", record_kind=kind, record_id=record, title="Call", calls=Jsonb([{}]),
                is_tainted=True, run_id=run, bidi_id=self.seat, expires_at=clock.now(),
            )  # fmt: skip
        await self._activities(kind, record)
        await self._mentions(kind, record)

    async def _activities(self, kind: str, record: UUID) -> None:
        tx, about = self.tx, {"record_kind": kind, "record_id": record}
        by = {"author_kind": "user", "author_id": tx.principal.id}
        for _ in range(self.dice.randint(0, 2)):
            await insert(tx, "notes", body="Calls before ten", **about, **by)
            await insert(tx, "tasks", title="Send the list", **about, **self._maker())
            await insert(tx, "meetings", title="Visit", **about, **self._hour(), **self._maker())
            await insert(
                tx, "files", name="Offer.pdf", mime="application/pdf", size_bytes=7, blob_key="0" * 64,
                uploaded_by_kind="user", uploaded_by_id=tx.principal.id, **about,
            )  # fmt: skip

    async def _mentions(self, kind: str, record: UUID) -> None:
        """Filters that ask for the record, and custom fields of others that lead to it."""
        tx, dice = self.tx, self.dice
        asks = {"field": "company", "op": "is", "value": str(record)}
        if dice.random() < 0.5:
            await insert(
                tx,
                "segments",
                record_kind="contact",
                name=f"With {uuid7()}",
                filter=asks,
                made_by=self.member,
            )
        if dice.random() < 0.5:
            await insert(
                tx, "views", record_kind="deal", name="Theirs", filter={"all": [asks, asks]}, position=1,
                made_by=self.member,
            )  # fmt: skip
        link = {f"{kind}_link": str(record), "size": 4}
        for table, others in (
            ("contacts", self.others),
            ("companies", self.companies),
            ("deals", self.deals),
        ):
            if dice.random() < 0.5:
                await tx.execute(
                    sql.SQL("UPDATE {} SET custom = %(link)s WHERE id = %(id)s").format(sql.Identifier(table)),
                    link=Jsonb(link), id=dice.choice(others),
                )  # fmt: skip

    async def relate(self, subject: tuple[str, UUID], target: tuple[str, UUID]) -> None:
        await insert(
            self.tx, "facts", subject_kind=subject[0], subject_id=subject[1], predicate="knows", object_kind=target[0],
            object_id=target[1], trust=self.dice.choice(("confirmed", "quarantined")),
        )  # fmt: skip

    async def link(self, kind: str, record: UUID, target: UUID) -> None:
        """A custom field of the record itself leads to another of its kind."""
        table = {"contact": "contacts", "company": "companies"}[kind]
        await self.tx.execute(
            sql.SQL("UPDATE {} SET custom = custom || %(link)s WHERE id = %(id)s").format(
                sql.Identifier(table)
            ),
            link=Jsonb({f"{kind}_link": str(target)}),
            id=record,
        )
