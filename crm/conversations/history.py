"""Bringing in conversations that happened elsewhere: stored as they were, nothing is triggered and nothing sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.db import Tx
from core.ids import uuid7
from crm.channel_accounts.models import ChannelAccount
from crm.conversations import queries
from crm.conversations.models import Conversation
from events.ids import ContactId, ConversationId, ImportId, MessageId
from events.outbox import emit
from events.types import ConversationImported


@dataclass(frozen=True)
class PastFile:
    """A file that came with a past message: in storage under `blob_key`, or not had because of `refusal`."""

    name: str
    mime: str
    size_bytes: int
    blob_key: str | None = None
    refusal: str = ""


@dataclass(frozen=True)
class PastMessage:
    """A message of a conversation that is over; `author_id` is the contact or the member who wrote it."""

    is_inbound: bool
    author_kind: str
    author_id: object
    body: str
    occurred_at: datetime
    external_id: str | None = None
    files: tuple[PastFile, ...] = ()


@dataclass(frozen=True)
class Imported:
    """What became of a past conversation: `messages` of it were not here before, among them `files`."""

    conversation_id: ConversationId
    is_new: bool
    messages: int
    files: int


async def import_conversation(
    tx: Tx,
    account: ChannelAccount,
    contact_id: ContactId,
    *,
    chat_id: str,
    messages: Sequence[PastMessage],
    import_id: ImportId | None = None,
) -> Imported:
    """Store a past conversation, oldest message first; everything in it counts as read.

    Where the chat is already a conversation of the account, the messages that it lacks are appended, told apart by
    their external ids.
    """
    tx.principal.require("conversations:write")
    is_new = await _insert_conversation(tx, account, contact_id, chat_id)
    conversation_id = await tx.value(
        "SELECT id FROM conversations WHERE channel_account_id = %(account_id)s AND external_id = %(chat_id)s",
        account_id=account.id,
        chat_id=chat_id,
    )
    conversation = await queries.lock_conversation(tx, ConversationId(conversation_id))
    missing = messages if is_new else await _missing(tx, conversation, messages)
    if missing:
        await _append(tx, conversation, missing, import_id)
        await emit(tx, ConversationImported(conversation.id))
    files = sum(len(message.files) for message in missing)
    return Imported(conversation.id, is_new, len(missing), files)


async def _insert_conversation(tx: Tx, account: ChannelAccount, contact_id: ContactId, chat_id: str) -> bool:
    inserted = await tx.execute(
        """
        INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id)
        VALUES (%(organization_id)s, %(id)s, %(account_id)s, %(channel)s, %(contact_id)s, %(chat_id)s)
        ON CONFLICT (organization_id, channel_account_id, external_id) DO NOTHING
        """,
        organization_id=tx.organization_id,
        id=uuid7(),
        account_id=account.id,
        channel=account.channel,
        contact_id=contact_id,
        chat_id=chat_id,
    )
    return inserted == 1


@dataclass(frozen=True)
class _Known:
    external_id: str
    direction: str


async def _missing(
    tx: Tx, conversation: Conversation, messages: Sequence[PastMessage]
) -> Sequence[PastMessage]:
    known = await tx.all(
        _Known,
        """
        SELECT external_id, direction
          FROM messages
         WHERE conversation_id = %(conversation_id)s
           AND external_id = ANY(%(external_ids)s)
        """,
        conversation_id=conversation.id,
        external_ids=[message.external_id for message in messages],
    )
    seen = {(row.external_id, row.direction == "in") for row in known}
    return [message for message in messages if (message.external_id, message.is_inbound) not in seen]


async def _append(
    tx: Tx, conversation: Conversation, messages: Sequence[PastMessage], import_id: ImportId | None
) -> None:
    ids = [MessageId(uuid7()) for _ in messages]
    first = conversation.last_seq + 1
    await tx.execute_many(
        """
        INSERT INTO messages (organization_id, id, conversation_id, channel_account_id, seq, direction, status,
                              external_id, body, author_kind, author_id, occurred_at, sent_at, import_id)
        VALUES (%(organization_id)s, %(id)s, %(conversation_id)s, %(account_id)s, %(seq)s, %(direction)s, %(status)s,
                %(external_id)s, %(body)s, %(author_kind)s, %(author_id)s, %(occurred_at)s, %(sent_at)s, %(import_id)s)
        """,
        [
            {
                "organization_id": tx.organization_id,
                "id": id,
                "conversation_id": conversation.id,
                "account_id": conversation.channel_account_id,
                "seq": seq,
                "direction": "in" if message.is_inbound else "out",
                "status": "read" if message.is_inbound else "sent",
                "external_id": message.external_id,
                "body": message.body,
                "author_kind": message.author_kind,
                "author_id": message.author_id,
                "occurred_at": message.occurred_at,
                "sent_at": None if message.is_inbound else message.occurred_at,
                "import_id": import_id,
            }
            for seq, (id, message) in enumerate(zip(ids, messages, strict=True), start=first)
        ],
    )
    await _store_files(tx, ids, messages)
    inbound = [seq for seq, message in enumerate(messages, start=first) if message.is_inbound]
    await tx.execute(
        """
        UPDATE conversations
           SET last_seq = %(last_seq)s,
               read_seq = %(last_seq)s,
               last_inbound_seq = greatest(last_inbound_seq, %(last_inbound_seq)s),
               last_message_id = %(message_id)s,
               last_message_at = %(last_message_at)s
         WHERE id = %(conversation_id)s
        """,
        last_seq=conversation.last_seq + len(messages),
        last_inbound_seq=inbound[-1] if inbound else 0,
        message_id=ids[-1],
        last_message_at=messages[-1].occurred_at,
        conversation_id=conversation.id,
    )


async def _store_files(tx: Tx, ids: Sequence[MessageId], messages: Sequence[PastMessage]) -> None:
    rows: list[dict[str, object]] = [
        {
            "organization_id": tx.organization_id,
            "id": uuid7(),
            "message_id": id,
            "name": file.name,
            "mime": file.mime,
            "size_bytes": file.size_bytes,
            "status": "stored" if file.blob_key else "refused",
            "refusal": file.refusal,
            "blob_key": file.blob_key,
        }
        for id, message in zip(ids, messages, strict=True)
        for file in message.files
    ]
    await tx.execute_many(
        """
        INSERT INTO attachments (organization_id, id, message_id, name, mime, size_bytes, status, refusal, blob_key)
        VALUES (%(organization_id)s, %(id)s, %(message_id)s, %(name)s, %(mime)s, %(size_bytes)s, %(status)s,
                %(refusal)s, %(blob_key)s)
        """,
        rows,
    )


async def remove_imported(tx: Tx, conversation_id: ConversationId, import_id: ImportId) -> None:
    """Take back the messages that an import brought into a conversation."""
    tx.principal.require("conversations:write")
    await queries.lock_conversation(tx, conversation_id)
    await tx.execute(
        """
        DELETE FROM attachments AS a
         USING messages m
         WHERE m.id = a.message_id
           AND m.conversation_id = %(conversation_id)s
           AND m.import_id = %(import_id)s
        """,
        conversation_id=conversation_id,
        import_id=import_id,
    )
    await tx.execute(
        "DELETE FROM messages WHERE conversation_id = %(conversation_id)s AND import_id = %(import_id)s",
        conversation_id=conversation_id,
        import_id=import_id,
    )
    await tx.execute(
        """
        UPDATE conversations AS c
           SET last_message_id = (SELECT m.id
                                    FROM messages m
                                   WHERE m.conversation_id = c.id
                                   ORDER BY m.seq DESC
                                   LIMIT 1)
         WHERE c.id = %(conversation_id)s
        """,
        conversation_id=conversation_id,
    )
