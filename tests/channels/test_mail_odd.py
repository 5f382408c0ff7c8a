"""Broken, mislabelled and hostile mails: each is stored as far as it can be read, or refused by name."""

import json
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from channels.email.headers import RECIPIENTS_LIMIT
from channels.email.inbound import parse
from channels.email.models import Mail
from core.errors import Unprocessable

FOLDER = Path(__file__).parent / "mails" / "odd"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "odd.json").read_text(encoding="utf-8"))
LIMIT = 20 * 1024 * 1024


def _read(name: str) -> Mail:
    return parse((FOLDER / f"{name}.eml").read_bytes(), file_limit_bytes=LIMIT)


def _facts(mail: Mail) -> dict[str, object]:
    """What the expectations name, as JSON says it."""
    return {
        "reply": mail.reply,
        "subject": mail.subject,
        "sender_name": mail.sender.name,
        "language": mail.language,
        "kind": mail.kind.value,
        "message_id": mail.message_id,
        "references": list(mail.references),
        "in_reply_to": list(mail.in_reply_to),
        "to": [each.address for each in mail.to],
        "files": [file.name for file in mail.attachments],
        "occurred_at": mail.occurred_at.isoformat(),
    }


def test_every_file_has_an_expectation() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if "refused" not in expected])
def test_an_odd_mail_is_stored_as_far_as_it_can_be_read(name: str) -> None:
    expected = EXPECTED[name]

    mail = _read(name)

    facts = _facts(mail)
    assert {key: facts[key] for key in expected if key in facts} == {
        key: value for key, value in expected.items() if key in facts
    }
    assert mail.reply.startswith(expected.get("reply_starts", ""))
    assert expected.get("note", "") in " ".join(mail.notes)
    assert expected.get("absent", "\0") not in f"{mail.text} {mail.reply}"


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if "refused" in expected])
def test_what_is_no_mail_is_refused_by_name(name: str) -> None:
    with pytest.raises(Unprocessable, match=EXPECTED[name]["refused"]):
        _read(name)


def test_a_mail_without_an_id_gets_the_same_one_every_time() -> None:
    assert _read("id-missing").message_id == _read("id-missing").message_id != _read("date-naive").message_id


def test_of_ten_thousand_recipients_a_stated_number_is_kept() -> None:
    everyone = ",\r\n ".join(f'"Person {number}" <p{number}@crowd.example>' for number in range(10_000))
    raw = f"From: a@acme.example\r\nTo: {everyone}\r\nSubject: To all\r\n\r\nHello all\r\n".encode()

    mail = parse(raw, file_limit_bytes=LIMIT)

    assert len(mail.to) == RECIPIENTS_LIMIT
    assert mail.notes == (
        f"{RECIPIENTS_LIMIT} of 10000 recipients are kept: the limit is {RECIPIENTS_LIMIT}.",
    )


@pytest.mark.parametrize(
    ("mime", "body"),
    [("html", "<div>" * 200_000 + "x"), ("html", "a<br>" * 200_000), ("plain", "a: 1:\n" * 160_000)],
    ids=["nested", "many-lines", "like-attributions"],
)
def test_a_mail_that_is_made_to_be_slow_is_cut_by_name(mime: str, body: str) -> None:
    head = f"From: a@acme.example\r\nSubject: Slow\r\nContent-Type: text/{mime}; charset=utf-8\r\n\r\n"

    began = time.perf_counter()
    mail = parse((head + body).encode(), file_limit_bytes=LIMIT)

    assert time.perf_counter() - began < 20  # nested elements alone took minutes
    assert "is not kept" in mail.notes[0]


def test_a_part_over_the_limit_is_refused_by_name_and_the_mail_is_kept() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@acme.example", "Our video"
    message.set_content("The video is attached.")
    message.add_attachment(bytes(25 * 1024 * 1024), maintype="video", subtype="mp4", filename="tour.mp4")

    mail = parse(message.as_bytes(), file_limit_bytes=LIMIT)

    (file,) = mail.attachments
    assert mail.reply == "The video is attached."
    assert (file.name, file.size_bytes, file.content) == ("tour.mp4", 25 * 1024 * 1024, None)
    assert file.refusal == "Not kept: 25 MB is over the limit of 20 MB. Ask for a link instead."
