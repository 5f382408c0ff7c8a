"""The nine steps of the design through real processes: a message becomes an approved reply, once."""

import asyncio
from itertools import count

import httpx2

from crm.channel_accounts.models import webhook_secret
from crm.drafts.models import Draft
from crm.drafts.queries import find_pending_draft
from infra.fleet import KEY
from tests.support.stage import Stage
from tests.support.until import until
from tests.support.visitor import signed_in
from tests.support.watching import conversation_of, draft_of, received

_chats = count(710000001)


async def test_a_polled_message_becomes_an_approved_reply_exactly_once(stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Hello! Could we have a demo on Thursday?", chat_id=chat_id, name="Vera Lind")

    conversation = await conversation_of(stage, chat_id)
    draft = await draft_of(stage, conversation.id)
    async with signed_in(stage.fleet.base, stage.email) as anna:
        page = await anna.page(f"/inbox/{conversation.id}?folder=all")
        answer = await anna.post(f"/drafts/{draft.id}/approval", version=str(draft.version))
    texts = await received(stage, chat_id)
    await asyncio.sleep(0.5)

    assert "Could we have a demo on Thursday?" in page
    assert answer.status_code == 303
    assert texts == [draft.body] == await stage.peer.received(chat_id)


async def test_a_webhook_message_becomes_a_draft(stage: Stage) -> None:
    chat_id = next(_chats)
    account = stage.world.account
    update = {
        "update_id": 990000000 + chat_id,
        "message": {
            "message_id": 5,
            "date": 1795000000,
            "chat": {"id": chat_id, "type": "private", "first_name": "Вера"},
            "from": {"id": chat_id, "is_bot": False, "first_name": "Вера", "language_code": "ru"},
            "text": "Здравствуйте! Можно показать в четверг?",
        },
    }
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(KEY, account.id)}

    async with httpx2.AsyncClient(base_url=stage.fleet.base) as telegram:
        first = await telegram.post(f"/webhooks/telegram/{account.id}", json=update, headers=headers)
        again = await telegram.post(f"/webhooks/telegram/{account.id}", json=update, headers=headers)
    draft = await draft_of(stage, (await conversation_of(stage, chat_id)).id)

    assert (first.json()["status"], again.json()["status"]) == ("accepted", "duplicate")
    assert draft.language == "ru"


async def test_a_wrong_secret_is_refused(stage: Stage) -> None:
    async with httpx2.AsyncClient(base_url=stage.fleet.base) as stranger:
        answer = await stranger.post(
            f"/webhooks/telegram/{stage.world.account.id}",
            json={"update_id": 1},
            headers={"X-Telegram-Bot-Api-Secret-Token": "guessed"},
        )

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert "secret" in answer.json()["detail"]


async def test_a_broken_update_is_refused_by_name(stage: Stage) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(KEY, stage.world.account.id)}
    async with httpx2.AsyncClient(base_url=stage.fleet.base, headers=headers) as telegram:
        path = f"/webhooks/telegram/{stage.world.account.id}"
        answers = [
            await telegram.post(path, content=b"not json"),
            await telegram.post(path, json=[1, 2]),
            await telegram.post(path, json={"message": {"text": "no update id"}}),
        ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert all(answer.json()["detail"] for answer in answers)


async def test_feedback_brings_another_draft(stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Friday?", chat_id=chat_id, name="Vera Lind")
    conversation = await conversation_of(stage, chat_id)
    first = await draft_of(stage, conversation.id)

    async with signed_in(stage.fleet.base, stage.email) as anna:
        await anna.post(
            f"/drafts/{first.id}/feedback", version=str(first.version), feedback="shorter, please"
        )

    async def another() -> Draft | None:
        async with stage.world.db.transaction(stage.world.owner, "test") as tx:
            found = await find_pending_draft(tx, conversation.id)
        return found if found and found.id != first.id else None

    assert (await until(another)).run_id != first.run_id


async def test_a_reply_whose_fate_is_not_known_is_shown_and_not_repeated(stage: Stage) -> None:
    chat_id = next(_chats)
    await stage.peer.send("Could we have a demo on Monday?", chat_id=chat_id, name="Vera Lind")
    conversation = await conversation_of(stage, chat_id)
    draft = await draft_of(stage, conversation.id)
    await stage.peer.fault("drop_after", count=1)

    async with signed_in(stage.fleet.base, stage.email) as anna:
        await anna.post(f"/drafts/{draft.id}/approval", version=str(draft.version))

        async def shown() -> bool:
            async with stage.world.db.transaction(stage.world.owner, "test") as tx:
                status = await tx.value("SELECT status FROM messages WHERE draft_id = %(id)s", id=draft.id)
            return bool(status == "unknown")

        await until(shown)
        await asyncio.sleep(1)
        page = await anna.page(f"/inbox/{conversation.id}?folder=all")

    assert len(await stage.peer.received(chat_id)) == 1
    assert "unknown" in page.lower() or "not known" in page.lower()
