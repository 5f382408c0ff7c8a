"""What wrote each mail of a folder: dsn, arf, auto_reply or ordinary, one line a file."""

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from channels.email.inbound import parse
from channels.email.models import MailKind
from core.errors import Unprocessable
from infra.bench import Report

_FILE_LIMIT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Classes:
    """The lines for people are the files; the figures are counts."""

    kinds: dict[str, MailKind]

    def lines(self) -> list[str]:
        return [f"{name} {kind}" for name, kind in self.kinds.items()]

    def as_json(self) -> dict[str, object]:
        report = Report("bounces")
        counts = Counter(self.kinds.values())
        for kind in MailKind:
            report.add(kind, counts[kind], "mails", len(self.kinds))
        return report.as_json()


def run(folder: Path) -> Classes:
    """Classify every *.eml by name."""
    files = sorted(folder.glob("*.eml"), key=lambda path: path.name)
    return Classes({file.name: kind_of(file) for file in files})


def kind_of(file: Path) -> MailKind:
    """The kind of one mail; what cannot be read was not written by a machine that we know."""
    try:
        return parse(file.read_bytes(), file_limit_bytes=_FILE_LIMIT_BYTES).kind
    except Unprocessable as err:
        print(f"{file.name}: {err.detail}", file=sys.stderr)
        return MailKind.ORDINARY
