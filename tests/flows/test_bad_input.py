"""What goes wrong outside gets a name, and the message is kept and visible."""

from itertools import count

from crm.conversations.models import HandoffReason
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import Visitor
from tests.support.watching import conversation_of

_chats = count(750000001)
MEGABYTE = 1024 * 1024


async def _attachment(stage: Stage, chat_id: int, status: str) -> str:
    """The refusal, or the key of the stored file, once the attachment has the status."""
    conversation = await conversation_of(stage, chat_id)

    async def look() -> str | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            found = await tx.value(
                """
                SELECT coalesce(a.blob_key, a.refusal)
                  FROM attachments a
                  JOIN messages m ON m.id = a.message_id
                 WHERE m.conversation_id = %(id)s
                   AND a.status = %(status)s
                """,
                id=conversation.id,
                status=status,
            )
        return str(found) if found else None

    return await until(look)


async def test_a_document_is_stored_and_can_be_fetched(stage: Stage, anna: Visitor) -> None:
    chat_id = next(_chats)
    document = {"name": "price request.pdf", "mime": "application/pdf", "size_bytes": 2 * MEGABYTE}
    await stage.peer.send("please see the file", chat_id=chat_id, document=document)

    key = await _attachment(stage, chat_id, "stored")
    page = await anna.page(f"/inbox/{(await conversation_of(stage, chat_id)).id}?folder=all")

    assert len(key) == 64
    assert "price request.pdf" in page


async def test_a_document_over_the_limit_is_refused_by_name_and_the_message_stays(
    stage: Stage, anna: Visitor
) -> None:
    chat_id = next(_chats)
    document = {"name": "video.mp4", "mime": "video/mp4", "size_bytes": 20 * MEGABYTE + 1}
    await stage.peer.send("our warehouse", chat_id=chat_id, document=document)

    refusal = await _attachment(stage, chat_id, "refused")
    page = await anna.page(f"/inbox/{(await conversation_of(stage, chat_id)).id}?folder=all")

    assert "20 MB" in refusal
    assert "our warehouse" in page
    assert "video.mp4" in page


async def test_somebody_who_asks_us_to_stop_is_heard_before_any_agent(stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Стоп", chat_id=chat_id, name="Вера", language="ru")

    async def handed_off() -> bool:
        return (await conversation_of(stage, chat_id)).handoff_reason is HandoffReason.CUSTOMER_REQUEST

    await until(handed_off)
    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        id = (await conversation_of(stage, chat_id)).id
        suppressed = await tx.value(
            "SELECT c.suppressed_at IS NOT NULL FROM contacts c JOIN conversations v ON v.contact_id = c.id"
            " WHERE v.id = %(id)s",
            id=id,
        )
        runs = await tx.value("SELECT count(*) FROM runs WHERE conversation_id = %(id)s", id=id)
    assert (suppressed, runs) == (True, 0)


async def test_a_message_of_a_group_is_passed_over_and_the_next_one_comes_through(stage: Stage) -> None:
    chat_id = next(_chats)
    group = {"id": -100123, "type": "supergroup", "title": "A group"}
    person = {"id": chat_id, "is_bot": False, "first_name": "Vera"}
    await stage.peer.push(
        {
            "message": {"message_id": 1, "date": 1795000000, "chat": group, "from": person, "text": "hi"},
        }
    )
    await stage.peer.send("a private word", chat_id=chat_id, name="Vera")

    assert (await conversation_of(stage, chat_id)).last_inbound_seq == 1
