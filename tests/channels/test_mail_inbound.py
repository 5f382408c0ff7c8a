"""Reading single mails: headers, bodies, files."""

from channels.email.inbound import parse
from channels.email.models import Address, MailKind

LIMIT = 1_000_000


def test_a_mail_is_read_whole() -> None:
    raw = (
        "From: =?utf-8?B?0JjQstCw0L0g0J/QtdGC0YDQvtCy?= <Ivan@Firma.Example>\r\n"
        "To: sales@norrwick.example\r\n"
        "Subject: =?utf-8?Q?=D0=A6=D0=B5=D0=BD=D1=8B?=\r\n"
        "Message-ID: <1@firma.example>\r\n"
        "In-Reply-To: <0@norrwick.example>\r\n"
        "Date: Tue, 3 Nov 2026 12:00:00 +0300\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        "Сколько стоит на 50 человек?\r\n\r\nС уважением,\r\nИван\r\n"
    ).encode()

    mail = parse(raw, file_limit_bytes=LIMIT)

    assert mail.sender == Address("ivan@firma.example", "Иван Петров")
    assert (mail.message_id, mail.in_reply_to) == ("1@firma.example", ("0@norrwick.example",))
    assert (mail.subject, mail.reply, mail.language) == ("Цены", "Сколько стоит на 50 человек?", "ru")
    assert mail.occurred_at.isoformat() == "2026-11-03T09:00:00+00:00"
    assert mail.kind is MailKind.ORDINARY
    assert "С уважением" in mail.text
