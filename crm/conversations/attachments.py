"""Files that came with messages: listed as pending, then stored or refused by name."""

from core.db import Tx
from core.ids import uuid7
from crm.conversations.models import Attachment, InboundAttachment
from events.ids import AttachmentId, ConversationId, MessageId
from events.outbox import emit
from events.types import AttachmentStored


async def add_attachments(tx: Tx, message_id: MessageId, files: tuple[InboundAttachment, ...]) -> None:
    """Note the files of a new message: stored already, refused by name, or still to be fetched."""
    for file in files:
        await tx.execute(
            """
            INSERT INTO attachments (organization_id, id, message_id, name, mime, size_bytes, status, refusal,
                                     provider_id, blob_key)
            VALUES (%(organization_id)s, %(id)s, %(message_id)s, %(name)s, %(mime)s, %(size_bytes)s, %(status)s,
                    %(refusal)s, %(provider_id)s, %(blob_key)s)
            """,
            organization_id=tx.organization_id,
            id=uuid7(),
            message_id=message_id,
            name=file.name,
            mime=file.mime,
            size_bytes=file.size_bytes,
            status="refused" if file.refusal else "stored" if file.blob_key else "pending",
            refusal=file.refusal,
            provider_id=file.provider_id,
            blob_key=file.blob_key,
        )


async def list_pending(tx: Tx, message_id: MessageId) -> list[Attachment]:
    """The files of a message whose content is still to be fetched."""
    return await tx.all(
        Attachment,
        """
        SELECT id, message_id, name, mime, size_bytes, status, refusal, provider_id, blob_key
          FROM attachments
         WHERE message_id = %(message_id)s
           AND status = 'pending'
         ORDER BY id
        """,
        message_id=message_id,
    )


async def store_attachment(
    tx: Tx, conversation_id: ConversationId, attachment: Attachment, *, blob_key: str, size_bytes: int
) -> None:
    """The content is in storage under `blob_key`."""
    await tx.execute(
        """
        UPDATE attachments
           SET status = 'stored', blob_key = %(blob_key)s, size_bytes = %(size_bytes)s
         WHERE id = %(attachment_id)s
           AND status = 'pending'
        """,
        blob_key=blob_key,
        size_bytes=size_bytes,
        attachment_id=attachment.id,
    )
    await emit(tx, AttachmentStored(conversation_id, attachment.message_id))


async def refuse_attachment(
    tx: Tx,
    conversation_id: ConversationId,
    message_id: MessageId,
    attachment_id: AttachmentId,
    *,
    reason: str,
) -> None:
    """The content cannot be had; the reason is shown in place of the file."""
    await tx.execute(
        """
        UPDATE attachments
           SET status = 'refused', refusal = %(reason)s
         WHERE id = %(attachment_id)s
           AND status = 'pending'
        """,
        reason=reason,
        attachment_id=attachment_id,
    )
    await emit(tx, AttachmentStored(conversation_id, message_id))
