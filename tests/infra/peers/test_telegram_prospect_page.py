"""The prospect's page works as plain HTML: forms in, messages out."""

from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import ClientSession

from tests.support.telegram_peer import TOKEN, VERA, Peer


@pytest.fixture
async def visitor(peer: Peer) -> AsyncIterator[ClientSession]:
    async with ClientSession(base_url=peer.base) as session:
        yield session


async def post(visitor: ClientSession, path: str, **form: str) -> str:
    async with visitor.post(f"/prospect/{TOKEN}{path}", data=form) as response:
        assert response.ok
        return await response.text()


async def updates(peer: Peer) -> list[dict[str, object]]:
    _, answer = await peer.call("getUpdates")
    result: list[dict[str, object]] = answer["result"]
    return result


async def test_a_line_typed_in_russian_becomes_an_update_and_is_escaped(
    peer: Peer, visitor: ClientSession
) -> None:
    page = await post(visitor, "/messages?lang=ru", text="Сколько стоит <b>?")

    assert "Сколько стоит &lt;b&gt;?" in page
    assert '<html lang="ru"' in page
    message = (await updates(peer))[0]["message"]
    assert isinstance(message, dict)
    assert (message["text"], message["from"]["language_code"]) == ("Сколько стоит <b>?", "ru")


async def test_an_edit_changes_the_line_and_is_sent_as_an_edit(peer: Peer, visitor: ClientSession) -> None:
    sent = await peer.send("for 40")

    page = await post(visitor, "/messages", text="for 45", edit=str(sent["message_id"]))

    assert "for 45" in page
    assert "edited_message" in (await updates(peer))[1]


async def test_sharing_ones_number_sends_ones_own_card(peer: Peer, visitor: ClientSession) -> None:
    await post(visitor, "/contact")

    message = (await updates(peer))[0]["message"]
    assert isinstance(message, dict)
    assert (message["contact"]["user_id"], message["contact"]["phone_number"]) == (VERA, "+12025550147")


async def test_a_visitor_can_become_somebody_else(peer: Peer, visitor: ClientSession) -> None:
    page = await post(visitor, "/people?lang=en", name="Joren Vastelaar")

    assert "you are Joren Vastelaar" in page
    assert {person["name"] for person in (await peer.state())["people"]} == {"Vera Lind", "Joren Vastelaar"}


async def test_an_uploaded_file_can_be_fetched_by_the_bot(peer: Peer, visitor: ClientSession) -> None:
    async with visitor.post(f"/prospect/{TOKEN}/files", data={"file": BytesIO(b"%PDF-1.7")}) as response:
        assert response.ok

    file_id = (await peer.chat())[0]["file"]["id"]
    _, answer = await peer.call("getFile", file_id=file_id)
    async with visitor.get(f"/file/bot{TOKEN}/{answer['result']['file_path']}") as response:
        assert await response.read() == b"%PDF-1.7"


async def test_a_bot_that_is_blocked_cannot_write(peer: Peer, visitor: ClientSession) -> None:
    await post(visitor, "/block")

    status, answer = await peer.call("sendMessage", chat_id=VERA, text="hi")

    assert (status, answer["description"]) == (403, "Forbidden: bot was blocked by the user")


async def test_forms_of_other_sites_are_refused(visitor: ClientSession) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}

    async with visitor.post(f"/prospect/{TOKEN}/messages", data={"text": "x"}, headers=headers) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/prospect/nonsense", f"/prospect/{TOKEN}?as=5", "/prospect/1:x"])
async def test_an_unknown_chat_is_not_found(visitor: ClientSession, path: str) -> None:
    async with visitor.get(path) as response:
        assert response.status == 404
