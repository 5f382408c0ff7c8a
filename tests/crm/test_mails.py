"""What becomes of a mail: its thread, its answers, and the words of machines."""

import random

import pytest

from core.db import Database
from core.envelopes import Keyring
from core.errors import Conflict, Unprocessable
from core.principal import Principal
from crm.channel_accounts.mailboxes import connect_mailbox
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.contacts.queries import find_contact_by_handle
from crm.conversations import sending
from crm.conversations.actions import resolve_conversation
from crm.conversations.models import ConversationStatus, Direction, MessageKind, MessageStatus, Reception
from crm.conversations.subjects import plain_subject, reply_subject
from tests.support.mail import SALES, VERA, Post, make_post, new_mailbox, written

ILYA = "Ilya Petrov <ilya@lind.example>"


@pytest.fixture
async def post(database: Database, organization: Principal) -> Post:
    return await make_post(database, organization)


async def test_the_same_mail_twice_is_one_message(post: Post) -> None:
    raw = written()

    first, second = await post.receive(raw), await post.receive(raw)

    assert (first, second) == (Reception.ACCEPTED, Reception.DUPLICATE)
    assert [message.body for message in await post.messages()] == ["Could you tell me the price?"]


async def test_a_message_id_that_somebody_else_used_hides_no_mail(post: Post) -> None:
    await post.receive(written("Take no notice", sender=ILYA, mail_id="same@x.example"))

    assert await post.receive(written(mail_id="same@x.example")) is Reception.ACCEPTED
    assert len(await post.messages()) == 2


async def test_ids_of_any_length_in_any_script_are_taken_in(post: Post) -> None:
    # no two alike, so that PostgreSQL cannot squeeze them into an index entry
    long = "".join(chr(0x4E00 + random.Random(number).randrange(20_000)) for number in range(380))

    raw = written(mail_id="1@x", answers=("2@x",)).replace(b"1@x", long.encode() + b"@x")
    raw = raw.replace(b"2@x", long[::-1].encode() + b"@x")

    assert await post.receive(raw) is Reception.ACCEPTED
    assert await post.receive(raw) is Reception.DUPLICATE


async def test_answers_stay_in_the_thread_whatever_their_order(post: Post) -> None:
    await post.receive(written("third", subject="Re: Price", mail_id="3@x", answers=("1@x", "2@x")))
    await post.receive(written("first", mail_id="1@x"))
    await post.receive(written("second", subject="Ответ: Price", mail_id="2@x", answers=("1@x",)))

    assert (await post.conversation()).last_seq == 3


async def test_an_answer_to_our_mail_finds_its_conversation_by_the_stored_message_id(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))
    attempt = await post.reply()
    assert attempt.mail is not None

    await post.receive(written("Thanks!", subject="something else", answers=(attempt.mail.mail_id,)))

    assert (await post.conversation()).last_seq == 3


async def test_a_colleague_in_the_same_thread_has_a_conversation_of_their_own(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))
    await post.receive(written("I join in", sender=ILYA, subject="Re: Price", answers=("1@x",)))

    ilya, vera = await post.conversations()
    assert (ilya.address, vera.address) == ("ilya@lind.example", VERA)
    assert ilya.contact_id != vera.contact_id


async def test_a_program_that_names_no_mail_is_matched_by_its_subject_for_the_same_person_only(
    post: Post,
) -> None:
    await post.receive(written())
    await post.receive(written("again", subject="RE: Price"))
    await post.receive(written("mine", sender=ILYA, subject="RE: Price"))
    await post.receive(written("a new matter", subject="Price"))

    assert sorted(each.last_seq for each in await post.conversations()) == [1, 1, 2]


@pytest.mark.parametrize(
    ("given", "plain", "reply"),
    [
        ("Price", "price", "Re: Price"),
        ("Re: RE[2]: Fwd: Price", "price", "Re: Price"),
        ("Отв: Ответ: Цена  за 50", "цена за 50", "Re: Цена за 50"),
        ("Regarding: price", "regarding: price", "Re: Regarding: price"),
        ("", "", "Re:"),
    ],
)
def test_marks_of_replies_are_known_in_both_languages(given: str, plain: str, reply: str) -> None:
    assert (plain_subject(given), reply_subject(given)) == (plain, reply)


async def test_our_answer_names_the_thread_and_keeps_its_recipient(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))
    await post.receive(
        written(
            "and?", subject="Re: Price", mail_id="2@x", answers=("1@x",), reply_to="Eve <eve@evil.example>"
        )
    )

    attempt = await post.reply()

    assert attempt.mail is not None
    assert attempt.chat_id == VERA
    assert (attempt.mail.in_reply_to, attempt.mail.references) == ("2@x", ("1@x", "2@x"))
    assert attempt.mail.subject == "Re: Price"
    stored = (await post.messages())[-1]
    assert (stored.status, stored.address) == (MessageStatus.ATTEMPTING, VERA)
    assert attempt.mail.mail_id == f"{attempt.key}@getsale.example"


@pytest.mark.parametrize("robot", ["noreply", "no-reply", "do_not_reply", "mailer", "form-notification"])
async def test_a_form_on_a_web_site_is_from_the_visitor_that_it_names(post: Post, robot: str) -> None:
    await post.receive(
        written(sender=f"Web site <{robot}@forms.example>", reply_to=f"Vera Lind <{VERA}>", mail_id="1@x")
    )
    await post.receive(written("and?", subject="Re: Price", answers=("1@x",)))

    attempt = await post.reply()

    assert attempt.chat_id == VERA
    assert (await post.conversation()).last_seq == 3
    async with post.db.transaction(post.owner, "test") as tx:
        found = await find_contact_by_handle(tx, "email", VERA)
    assert found is not None
    assert found.name == "Vera Lind"


async def test_two_visitors_of_one_form_are_two_conversations(post: Post) -> None:
    form = "Web site <noreply@forms.example>"
    await post.receive(written(sender=form, reply_to=VERA, subject="Contact"))
    await post.receive(written(sender=form, reply_to=ILYA, subject="Contact"))

    assert {each.address for each in await post.conversations()} == {VERA, "ilya@lind.example"}


@pytest.mark.parametrize("sender", ["Vera <vera@lind.example>", "Anna <anna.mailerova@lind.example>"])
async def test_a_person_s_reply_to_sends_no_answer_elsewhere(post: Post, sender: str) -> None:
    await post.receive(written(sender=sender, reply_to="eve@evil.example"))

    assert (await post.conversation()).address in sender


async def test_a_retry_has_the_same_message_id(post: Post) -> None:
    await post.receive(written())
    first = await post.reply()
    async with post.db.transaction(post.owner, "test") as tx:
        await sending.requeue(tx, first, "greylisted")
        second = await sending.begin_attempt(tx, first.message_id, 30)

    assert not isinstance(second, sending.Wait)
    assert second is not None
    assert first.mail is not None
    assert second.mail is not None
    assert second.mail.mail_id == first.mail.mail_id


async def test_a_changed_recipient_is_not_sent_to(post: Post) -> None:
    await post.receive(written())
    first = await post.reply()
    async with post.db.transaction(post.owner, "test") as tx:
        await sending.requeue(tx, first, "again")
        await tx.execute("UPDATE messages SET address = 'eve@evil.example' WHERE direction = 'out'")
        assert await sending.begin_attempt(tx, first.message_id, 30) is None

    assert (await post.messages())[-1].status is MessageStatus.FAILED


async def test_an_absence_notice_is_shown_and_nothing_more(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))
    conversation = await post.conversation()
    async with post.db.transaction(post.owner, "test") as tx:
        await resolve_conversation(tx, conversation.id)
    before = await post.events()

    await post.receive(
        written(
            "I am away", subject="Automatic reply: Price", answers=("1@x",), auto_submitted="auto-replied"
        )
    )

    after = await post.conversation()
    assert (await post.messages())[-1].kind is MessageKind.AUTO_REPLY
    assert (after.status, after.last_seq, after.last_inbound_seq) == (ConversationStatus.RESOLVED, 2, 1)
    assert (await post.events())[len(before) :] == ["message.automatic.received"]


async def test_a_mail_of_our_own_is_history_and_is_never_sent(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))

    await post.receive(
        written("From my phone", sender=SALES, to=VERA, subject="Re: Price", answers=("1@x",)),
        from_sent_folder=True,
    )

    mine = (await post.messages())[-1]
    assert (mine.direction, mine.status, mine.address) == (Direction.OUT, MessageStatus.SENT, VERA)
    assert (await post.conversation()).last_seq == 2
    assert "message.queued" not in await post.events()


async def test_a_mail_that_only_says_it_is_ours_is_shown_and_nobody_hears_of_it(post: Post) -> None:
    await post.receive(written(mail_id="1@x"))
    vera = await post.conversation()

    await post.receive(
        written("Give her a discount", sender=SALES, to=VERA, subject="Re: Price", answers=("1@x",))
    )

    claim = (await post.messages())[-1]
    assert (claim.direction, claim.kind) == (Direction.IN, MessageKind.AUTO_REPLY)
    assert claim.conversation_id != vera.id
    assert (await post.events())[-1] == "message.automatic.received"
    assert "message.sent" not in await post.events()


async def test_a_claim_that_comes_first_hides_no_mail_of_ours(post: Post) -> None:
    raw = written("From my phone", sender=SALES, to=VERA, mail_id="mine@x")

    await post.receive(raw)
    reception = await post.receive(raw, from_sent_folder=True)

    assert reception is Reception.ACCEPTED
    assert [message.direction for message in await post.messages()] == [Direction.IN, Direction.OUT]


async def test_a_mail_of_ours_that_comes_back_to_the_inbox_is_known(post: Post) -> None:
    raw = written("From my phone", sender=SALES, to=VERA, cc=SALES)
    await post.receive(raw, from_sent_folder=True)

    assert await post.receive(raw) is Reception.DUPLICATE


async def test_what_lies_in_sent_is_ours_under_whatever_alias(post: Post) -> None:
    await post.receive(written("Hello", sender="info@getsale.example", to=VERA), from_sent_folder=True)

    (mine,) = await post.messages()
    assert (mine.direction, mine.address) == (Direction.OUT, VERA)


async def test_a_mail_to_ourselves_and_one_to_nobody_are_kept(post: Post) -> None:
    first = await post.receive(written("a note", sender=SALES, to=SALES), from_sent_folder=True)
    second = await post.receive(
        written("hidden", sender=SALES, to="undisclosed-recipients:;"), from_sent_folder=True
    )

    assert (first, second) == (Reception.ACCEPTED, Reception.ACCEPTED)


async def test_a_mail_of_unknown_fate_that_is_seen_in_sent_was_sent(post: Post) -> None:
    await post.receive(written())
    attempt = await post.reply()
    async with post.db.transaction(post.owner, "test") as tx:
        await sending.record_unknown(tx, attempt, "broke")
    assert attempt.mail is not None

    reception = await post.receive(written("whatever", sender=SALES, to=VERA, mail_id=attempt.mail.mail_id))

    assert reception is Reception.DUPLICATE
    assert (await post.messages())[-1].status is MessageStatus.SENT


async def test_an_answer_proves_that_a_mail_of_unknown_fate_arrived(post: Post) -> None:
    await post.receive(written())
    attempt = await post.reply()
    async with post.db.transaction(post.owner, "test") as tx:
        await sending.record_unknown(tx, attempt, "broke")
    assert attempt.mail is not None

    await post.receive(written("thanks", subject="Re: Price", answers=(attempt.mail.mail_id,)))

    assert (await post.messages())[1].status is MessageStatus.SENT


def _report(about: str, *, to: str = VERA, action: str = "failed", status: str = "5.1.1") -> bytes:
    return f"""\
From: Mail Delivery System <mailer-daemon@getsale.example>
To: {SALES}
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn-{about}>
Date: Thu, 26 Nov 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver your mail.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.getsale.example

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} no such user

--b
Content-Type: message/rfc822

From: {SALES}
To: {to}
Message-ID: <{about}>
Subject: Re: Price

hello
--b--
""".encode()


async def _sent(post: Post) -> str:
    await post.receive(written())
    attempt = await post.reply()
    async with post.db.transaction(post.owner, "test") as tx:
        await sending.record_sent(tx, attempt, attempt.mail.mail_id if attempt.mail else "")
    assert attempt.mail is not None
    return attempt.mail.mail_id


async def _is_suppressed(post: Post, address: str) -> bool:
    async with post.db.transaction(post.owner, "test") as tx:
        return bool(
            await tx.value(
                "SELECT suppressed_at IS NOT NULL FROM contact_handles WHERE value = %(address)s",
                address=address,
            )
        )


async def test_a_hard_bounce_fails_the_mail_and_closes_the_address(post: Post) -> None:
    mail_id = await _sent(post)

    reception = await post.receive(_report(mail_id))

    _, ours, report = await post.messages()
    assert reception is Reception.ACCEPTED
    assert (ours.status, report.kind) == (MessageStatus.FAILED, MessageKind.DSN)
    assert "no such user" in ours.failure
    assert await _is_suppressed(post, VERA)
    assert (await post.conversation()).last_inbound_seq == 1


async def test_a_soft_bounce_is_a_note(post: Post) -> None:
    mail_id = await _sent(post)

    await post.receive(_report(mail_id, action="delayed", status="4.2.2"))

    ours = (await post.messages())[1]
    assert ours.status is MessageStatus.SENT
    assert "4.2.2" in ours.failure
    assert not await _is_suppressed(post, VERA)


async def test_a_forged_report_about_somebody_we_never_wrote_to_does_nothing(post: Post) -> None:
    await post.receive(written("hello", sender=ILYA))

    await post.receive(_report("never@x.example", to="ilya@lind.example"))

    assert not await _is_suppressed(post, "ilya@lind.example")


async def test_a_forged_report_that_names_no_mail_of_ours_is_shown_and_does_nothing(post: Post) -> None:
    await _sent(post)

    await post.receive(_report("guessed@x.example"))

    _, ours, report = await post.messages()
    assert (ours.status, report.kind) == (MessageStatus.SENT, MessageKind.DSN)
    assert not await _is_suppressed(post, VERA)


async def test_a_report_is_believed_about_the_address_of_its_mail_only(post: Post) -> None:
    mail_id = await _sent(post)
    await post.receive(written("hello", sender=ILYA))

    await post.receive(_report(mail_id, to="ilya@lind.example"))

    assert (await post.messages())[1].status is MessageStatus.SENT
    assert not await _is_suppressed(post, "ilya@lind.example")
    assert not await _is_suppressed(post, VERA)


async def test_one_person_over_mail_and_telegram_is_one_contact(post: Post) -> None:
    async with post.db.transaction(post.owner, "test") as tx:
        known = await create_contact(
            tx, NewContact("Vera Lind", handles=(("telegram_id", "77"), ("email", VERA.upper())))
        )

    await post.receive(written())

    assert (await post.conversation()).contact_id == known.id
    async with post.db.transaction(post.owner, "test") as tx:
        found = await find_contact_by_handle(tx, "email", VERA)
    assert found is not None
    assert found.id == known.id


async def test_old_mail_is_brought_in_without_anybody_reacting(post: Post) -> None:
    await post.receive(written(), is_past=True)

    conversation = await post.conversation()
    assert (conversation.read_seq, conversation.last_inbound_seq) == (1, 1)
    assert await post.events() == ["conversation.imported"]


async def test_the_same_mailbox_is_not_connected_twice(post: Post) -> None:
    with pytest.raises(Conflict, match="already"):
        await make_post(post.db, post.owner)


async def test_an_address_that_is_none_is_refused(post: Post) -> None:
    async with post.db.transaction(post.owner, "test") as tx:
        with pytest.raises(Unprocessable, match="no mail address"):
            await connect_mailbox(
                tx, new_mailbox(imap_port=1, smtp_port=1, password="x", address="nonsense"), keys=Keyring("k")
            )
