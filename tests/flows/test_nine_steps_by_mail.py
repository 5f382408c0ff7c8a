"""The nine steps over a real SMTP and IMAP server: a mail becomes an approved answer in the sender's mailbox."""

from itertools import count

import pytest

from crm.drafts.queries import find_pending_draft
from tests.support.mail import written
from tests.support.outside import SALES, Outside, from_person
from tests.support.until import until
from tests.support.visitor import Visitor
from tests.support.watching import draft_of

_people = count(1)


@pytest.fixture
def vera() -> str:
    """Somebody nobody has heard of yet."""
    return f"vera.{next(_people)}@flow-by-mail.example"


async def _answers(outside: Outside, address: str, many: int = 1) -> list[str]:
    async def there() -> list[str] | None:
        texts = [str(mail.get_content()).strip() for mail in await outside.mailbox(address)]
        return texts if len(texts) >= many else None

    return await until(there)


async def test_a_mail_becomes_an_approved_answer_in_its_thread_exactly_once(
    outside: Outside, anna: Visitor, vera: str
) -> None:
    stage = outside.stage
    first = f"first.{vera}"
    await outside.write(from_person(vera, "Hello! Could we have a demo on Thursday?", mail_id=first))

    conversation = await outside.conversation_with(vera)
    draft = await draft_of(stage, conversation.id)
    page = await anna.page(f"/inbox/{conversation.id}?folder=all")
    answer = await anna.post(f"/drafts/{draft.id}/approval", version=str(draft.version))
    texts = await _answers(outside, vera)

    assert "Could we have a demo on Thursday?" in page
    assert answer.status_code == 303
    assert texts == [draft.body.strip()]
    (arrived,) = await outside.mailbox(vera)
    assert arrived["In-Reply-To"] == f"<{first}>"
    assert arrived["References"] == f"<{first}>"
    assert arrived["Subject"] == "Re: A demo"
    assert SALES in arrived["From"]


async def test_their_answer_to_our_mail_stays_in_the_conversation(
    outside: Outside, anna: Visitor, vera: str
) -> None:
    await outside.write(from_person(vera, "Could we have a demo on Friday?", mail_id=f"1.{vera}"))
    conversation = await outside.conversation_with(vera)
    draft = await draft_of(outside.stage, conversation.id)
    await anna.post(f"/drafts/{draft.id}/approval", version=str(draft.version))
    await _answers(outside, vera)
    (ours,) = await outside.mailbox(vera)
    ours_id = str(ours["Message-ID"]).strip("<>")

    await outside.write(
        written(
            "Friday at ten is fine.\n\nOn Thu, 26 Nov 2026 at 10:00, Norrwick Sales wrote:\n> Hello\n> Vera",
            sender=f"Vera Lind <{vera}>",
            to=SALES,
            subject="Re: A demo",
            answers=(f"1.{vera}", ours_id),
        )
    )

    async def third() -> bool:
        return (await outside.conversation_with(vera)).last_seq == 3

    await until(third)
    page = await anna.page(f"/inbox/{conversation.id}?folder=all")
    assert "Friday at ten is fine." in page


async def test_a_person_who_writes_by_mail_is_answered_in_russian(outside: Outside, vera: str) -> None:
    await outside.write(from_person(vera, "Здравствуйте! Можно показать в четверг?", subject="Показ"))

    draft = await draft_of(outside.stage, (await outside.conversation_with(vera)).id)

    assert draft.language == "ru"


async def test_an_absence_notice_wakes_no_agent(outside: Outside, vera: str) -> None:
    stage = outside.stage
    raw = written(
        "I am away until Monday.",
        sender=f"Vera Lind <{vera}>",
        to=SALES,
        subject="Automatic reply: A demo",
        auto_submitted="auto-replied",
    )

    await outside.write(raw)
    conversation = await outside.conversation_with(vera)
    await outside.write(from_person(f"after.{vera}", "Could we have a demo?"))
    await draft_of(stage, (await outside.conversation_with(f"after.{vera}")).id)

    async with stage.world.db.transaction(stage.world.owner, "test") as tx:
        runs = await tx.value("SELECT count(*) FROM runs WHERE conversation_id = %(id)s", id=conversation.id)
        assert await find_pending_draft(tx, conversation.id) is None
    assert runs == 0
