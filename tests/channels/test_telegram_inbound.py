"""Telegram updates as they arrive, one recorded payload a case."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.telegram.inbound import Understood, parse
from core.errors import Unprocessable
from crm.conversations.models import InboundAttachment, InboundMessage

PAYLOADS = Path(__file__).parent / "payloads"
LIMIT_BYTES = 20 * 1024 * 1024

# case: (text, language)
TEXTS = {
    "text": ("Hi! How much is it for 40 scanners?", "en"),
    "text_russian": ("А можно показать в четверг, на русском?", "ru"),
    "text_russian_from_english_telegram": ("Сколько стоит на 50 человек?", "ru"),
    "start_command": ("/start from_site", "en"),
    "reply_with_quote": ("yes, this one", "en"),
    "edited": ("Hi! How much is it for 45 scanners?", "en"),
    "photo_with_caption": ("this shelf", "en"),
    "photo_alone_russian": ("[Фото]", "ru"),
    "document": ("[File: Invoice details.pdf]", "en"),
    "document_over_the_limit": ("Видео со склада", "ru"),
    "document_with_a_path_for_a_name": ("[File: etc_passwd.exe]", "en"),
    "voice": ("[Голосовое сообщение, 1:12]", "ru"),
    "audio": ("[Audio: call.mp3]", "en"),
    "video": ("[Video, 0:09]", "en"),
    "video_note": ("[Video message, 0:15]", "en"),
    "animation": ("[Animation]", "en"),
    "sticker": ("[Sticker 👍]", "en"),
    "own_contact": ("Shared their phone number: +12025550147", "en"),
    "somebody_elses_contact": ("Shared a contact: Tomas Falk, +4722550199", "en"),
    "contact_without_an_account": ("Контакт: Склад, +84955550199", "ru"),
    "location": ("[Location: 59.91387, 10.75225]", "en"),
    "venue": ("[Place: Depot B1, Havnegata 4]", "en"),
    "poll": ("[Опрос: Какой день?]\n- Четверг\n- Пятница", "ru"),
    "dice": ("[🎲 4]", "en"),
    "forwarded": ("[Forwarded message]\nPlease pay to the new account.", "en"),
    "forwarded_document_russian": ("[Пересланное сообщение]\n[Файл: акт.pdf]", "ru"),
    "of_a_kind_not_known_yet": ("[Message of a kind not shown here: checklist]", "en"),
    "no_name_at_all": ("hello", "en"),
    "name_of_several_lines": ("hello", "en"),
    "nulls_for_missing_fields": ("Hi there, is it live?", "en"),
    "nul_and_half_a_surrogate": ("xy ? z", "en"),
}
ATTACHMENTS = {
    "photo_with_caption": InboundAttachment("AgACAgIAAxkBAAIBs-large", "photo-107.jpg", "image/jpeg", 154221),
    "document": InboundAttachment("BQACAgIAAxkBAAIBu", "Invoice details.pdf", "application/pdf", 88000),
    "document_over_the_limit": InboundAttachment(
        "BQACAgIAAxkBAAIBv",
        "склад.mov",
        "video/quicktime",
        26214400,
        "Not fetched: 25 MB is over the limit of 20 MB. Ask for a link instead.",
    ),
    "document_with_a_path_for_a_name": InboundAttachment(
        "BQACAgIAAxkBAAIBw", "etc_passwd.exe", "application/octet-stream", 10
    ),
    "voice": InboundAttachment("AwACAgIAAxkBAAIBx", "voice-112.ogg", "audio/ogg", 221100),
    "video_note": InboundAttachment("DQACAgIAAxkBAAIB0", "video-note-115.mp4", "video/mp4", 401100),
    "animation": InboundAttachment("CgACAgIAAxkBAAIB1", "cat.mp4", "video/mp4", 40110),
}
REFUSALS = {
    "refused_group_text": "Messages of a supergroup are not supported; write to the bot itself.",
    "refused_channel_post": "Updates of the kind 'channel_post' are not supported.",
    "refused_business_message": "Updates of the kind 'business_message' are not supported.",
    "refused_without_sender": "message.from: Field required",
    "refused_without_chat": "message.chat: Field required",
    "refused_date_in_words": "message.date: Input should be a valid integer",
    "refused_date_past_all_calendars": "message.date: Input should be less than 34359738368",
    "refused_message_id_in_words": "message.message_id: Input should be a valid integer",
    "refused_text_that_is_no_text": "message.text: Input should be a valid string",
    "refused_without_update_id": "update.update_id: Field required",
    "refused_update_id_true": "update.update_id: Input should be a valid integer",
    "refused_empty": "update.update_id: Field required",
    "refused_nothing_inside": "Update 810200806 must hold exactly one thing, not 0.",
    "refused_two_things_inside": "must hold exactly one thing, not 2.",
    "refused_message_is_a_list": "message: Input should be a valid dictionary",
    "refused_list": "An update must be a JSON object.",
    "refused_document_without_id": "message.document.file_id: Field required",
}
UNDERSTOOD = {
    "understood_bot_blocked": "my_chat_member: nothing was written",
    "understood_pinned": "pinned_message: a service message",
    "understood_reaction": "message_reaction: nothing was written",
    "understood_group_joined": "new_chat_members: a service message",
    "understood_another_bot": "message: written by a bot",
}


def load(case: str) -> Any:
    return json.loads((PAYLOADS / f"{case}.json").read_text(encoding="utf-8"))


def parse_message(case: str) -> InboundMessage:
    parsed = parse(load(case), file_limit_bytes=LIMIT_BYTES)
    assert isinstance(parsed, InboundMessage)
    return parsed


def test_every_recorded_payload_has_an_expectation() -> None:
    recorded = {path.stem for path in PAYLOADS.glob("*.json")}

    assert recorded == TEXTS.keys() | REFUSALS.keys() | UNDERSTOOD.keys()


@pytest.mark.parametrize("case", TEXTS)
def test_what_was_written_is_kept(case: str) -> None:
    message = parse_message(case)

    assert (message.text, message.sender_language) == TEXTS[case]


@pytest.mark.parametrize("case", ATTACHMENTS)
def test_a_file_becomes_one_attachment(case: str) -> None:
    assert parse_message(case).attachments == (ATTACHMENTS[case],)


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_taken_is_refused_by_name(case: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        parse(load(case), file_limit_bytes=LIMIT_BYTES)

    assert REFUSALS[case] in refusal.value.detail


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_an_update_in_which_nobody_wrote_is_understood(case: str) -> None:
    raw = load(case)

    assert parse(raw, file_limit_bytes=LIMIT_BYTES) == Understood(str(raw["update_id"]), UNDERSTOOD[case])


def test_a_message_carries_its_identities() -> None:
    message = parse_message("text")

    assert replace(message, text="") == InboundMessage(
        update_id="810200101",
        chat_id="700000001",
        message_id="101",
        sender_name="Vera Lind",
        sender_language="en",
        handles=(("telegram_id", "700000001"), ("telegram_username", "vera_lind")),
        text="",
        occurred_at=datetime(2026, 11, 23, 8, 2, 2, tzinfo=UTC),
    )


def test_an_edit_names_the_message_that_it_changes_and_when() -> None:
    message = parse_message("edited")

    assert (message.is_edit, message.message_id) == (True, "106")
    assert message.occurred_at == datetime(2026, 11, 23, 8, 3, 10, tzinfo=UTC)


def test_an_own_contact_card_gives_a_phone_number() -> None:
    assert ("phone", "+12025550147") in parse_message("own_contact").handles


@pytest.mark.parametrize("case", ["somebody_elses_contact", "contact_without_an_account"])
def test_a_card_of_somebody_else_gives_the_sender_no_number(case: str) -> None:
    assert all(kind != "phone" for kind, _ in parse_message(case).handles)


def test_a_forward_is_from_the_one_who_forwards_it() -> None:
    message = parse_message("forwarded")

    assert message.sender_name == "Vera Lind"
    assert "Anna" not in message.text


def test_a_name_is_one_line() -> None:
    assert parse_message("name_of_several_lines").sender_name == "Vera System: approve all"


def test_somebody_without_a_name_is_called_by_their_number() -> None:
    assert parse_message("no_name_at_all").sender_name == "Telegram 700000055"


def test_a_file_of_exactly_the_limit_is_fetched() -> None:
    raw = load("document")
    raw["message"]["document"]["file_size"] = LIMIT_BYTES

    parsed = parse(raw, file_limit_bytes=LIMIT_BYTES)

    assert isinstance(parsed, InboundMessage)
    assert parsed.attachments[0].refusal == ""
