"""The share of mails whose visible reply is read right, over pairs of NAME.eml and NAME.txt."""

import sys
from pathlib import Path

from channels.email.inbound import parse
from core.errors import Unprocessable
from infra.bench import Report

_FILE_LIMIT_BYTES = 20 * 1024 * 1024


def run(folder: Path) -> Report:
    """Measure; right means equal after collapsing white space. The names of those read wrong go to stderr."""
    pairs = [(mail, mail.with_suffix(".txt")) for mail in sorted(folder.glob("*.eml"))]
    pairs = [(mail, expected) for mail, expected in pairs if expected.exists()]
    wrong = [mail.name for mail, expected in pairs if not is_right(mail, expected)]
    if wrong:
        print("Read wrong: " + ", ".join(wrong), file=sys.stderr)
    report = Report("quotes")
    right = len(pairs) - len(wrong)
    report.add(
        "quotes_right", right / len(pairs) if pairs else 0.0, "share", len(pairs), aim=0.95, better="higher"
    )
    return report


def is_right(mail: Path, expected: Path) -> bool:
    """Whether the reply in a mail is the expected one."""
    try:
        reply = parse(mail.read_bytes(), file_limit_bytes=_FILE_LIMIT_BYTES).reply
    except Unprocessable:
        return False
    return reply.split() == expected.read_text(encoding="utf-8-sig").split()
