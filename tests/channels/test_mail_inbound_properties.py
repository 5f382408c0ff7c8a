"""Whatever bytes come as a mail, they become a Mail that can be stored, or are refused: nothing else happens."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.inbound import parse
from core.errors import Unprocessable

MAILS = [path.read_bytes() for path in sorted((Path(__file__).parent / "mails").glob("*/*.eml"))]
HEADERS = (
    b"From To Subject Date Message-ID References In-Reply-To Received Content-Type Content-Transfer-Encoding "
    b"Content-Disposition Auto-Submitted Return-Path"
).split()
SPICE = (
    b"=?utf-8?B?4A?=", b"=?x?Q?=ZZ?=", b'boundary="', b"multipart/mixed", b"charset=", b"name*0*=utf-8''%", b"<", b"@", b"\x00", b"\xff",
    b"--b", b"message/rfc822", b"text/html", b"base64", b"<table><tr><td>", b"> > On 1/1/26 a@b wrote:", b"\r\n", b"\n\n", b"-- \n",
)  # fmt: skip
scraps = st.lists(st.sampled_from(SPICE) | st.binary(max_size=6), max_size=8).map(b"".join)
made_up = st.tuples(st.lists(st.tuples(st.sampled_from(HEADERS), scraps), max_size=8), scraps).map(
    lambda mail: b"".join(name + b": " + value + b"\r\n" for name, value in mail[0]) + b"\r\n" + mail[1]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail of ours with a few cuts and insertions."""
    raw = draw(st.sampled_from(MAILS))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(raw)))
        raw = raw[:at] + draw(scraps) + raw[at + draw(st.integers(0, 40)) :]
    return raw


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300) | made_up | mutated())
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        mail = parse(raw, file_limit_bytes=1000)
    except Unprocessable:
        return

    names = [mail.sender.name, *(file.name for file in mail.attachments)]
    for text in (mail.text, mail.reply, mail.subject, mail.message_id, *mail.references, *names):
        assert "\x00" not in text
        text.encode()  # a lone surrogate would raise
    assert mail.occurred_at.tzinfo is not None
    assert all(file.content is None or len(file.content) <= 1000 for file in mail.attachments)
