"""Bounces, complaints and automatic replies are told from people."""

import json
from pathlib import Path

import pytest

from channels.email.inbound import parse
from channels.email.models import Bounce, MailKind
from infra.bench import bounces

FOLDER = Path(__file__).parent / "mails" / "automatic"
CLASSES: dict[str, str] = json.loads((FOLDER / "classes.json").read_text())
LIMIT = 1_000_000


def _bounces(name: str) -> tuple[Bounce, ...]:
    return parse((FOLDER / f"{name}.eml").read_bytes(), file_limit_bytes=LIMIT).bounces


def test_there_are_enough_of_each_kind() -> None:
    machines = [kind for kind in CLASSES.values() if kind != "ordinary"]

    assert {path.stem for path in FOLDER.glob("*.eml")} == set(CLASSES)
    assert len(machines) >= 40


@pytest.mark.parametrize("name", CLASSES)
def test_what_wrote_a_mail_is_told(name: str) -> None:
    assert bounces.kind_of(FOLDER / f"{name}.eml") == CLASSES[name]


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if kind in ("dsn", "arf")])
def test_a_report_names_whom_it_is_about(name: str) -> None:
    found = _bounces(name)

    assert found or name == "dsn-relayed-success"
    assert not any("norrwick" in bounce.recipient for bounce in found)


@pytest.mark.parametrize(
    ("name", "recipient", "status", "is_hard"),
    [
        ("dsn-postfix-unknown-user", "nobody@partner.example", "5.1.1", True),
        ("dsn-postfix-delayed", "slow@partner.example", "4.4.1", False),
        ("dsn-exchange-mailbox-full", "full@partner.example", "5.2.2", False),
        ("dsn-qmail", "info@oldhost.example", "5.1.1", True),
        ("dsn-exchange-2003-ru", "laptev@staraya.example", "5.1.1", True),
        ("dsn-mailru-full", "polnyi@mail.ru", "5.2.2", False),
        ("dsn-exim-delay-text", "busy@partner.example", "4.7.1", False),
        ("dsn-delay-ru", "medlenno@firma.example", "4.4.1", False),
        ("arf-opt-out", "stop@isp.example", "", True),
        ("arf-yahoo-hidden-recipient", "angry@webmail.example", "", True),
        ("arf-not-spam", "friend@isp.example", "", False),
    ],
)
def test_a_report_says_whether_trying_again_is_useless(
    name: str, recipient: str, status: str, is_hard: bool
) -> None:
    (bounce,) = _bounces(name)

    assert (bounce.recipient, bounce.status, bounce.is_hard) == (recipient, status, is_hard)


def test_a_report_in_words_names_the_mail_that_it_returns() -> None:
    raw = (FOLDER / "dsn-qmail.eml").read_bytes()
    returning = raw.replace(b"Subject: Pricing", b"Message-ID: <ours@norrwick.example>\nSubject: Pricing")

    assert parse(returning, file_limit_bytes=LIMIT).reported == ("ours@norrwick.example",)
    assert parse(raw, file_limit_bytes=LIMIT).reported == ()


def test_a_report_names_the_mail_that_it_returns_as_a_part() -> None:
    report = parse((FOLDER / "dsn-postfix-unknown-user.eml").read_bytes(), file_limit_bytes=LIMIT)

    assert len(report.reported) == 1
    assert report.message_id not in report.reported


def test_mail_to_many_is_ordinary_and_marked() -> None:
    newsletter = parse((FOLDER / "newsletter.eml").read_bytes(), file_limit_bytes=LIMIT)

    assert (newsletter.kind, newsletter.is_bulk) == (MailKind.ORDINARY, True)


def test_the_bench_prints_one_line_a_file_in_order() -> None:
    lines = bounces.run(FOLDER).lines()

    assert lines == sorted(f"{name}.eml {kind}" for name, kind in CLASSES.items())
