"""Past talks to measure over: questions of our own data sets, each answered by a colleague, as Telegram exports them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evals.suites import find_suite

_OWNER = 900100200
_ANSWERS = {
    "en": "40 scanners cost €17 each a month; we deliver within 5 working days.",
    "ru": "40 сканеров стоят 17 € каждый в месяц; доставка за 5 рабочих дней.",
}
PER_TALK = 5
_BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def write_export(folder: Path, replies: int) -> Path:
    """An export with so many answers, five in a talk, every question from the data set of triage."""
    cases = find_suite("triage").cases()
    chats = []
    for number in range(-(-replies // PER_TALK)):
        messages: list[dict[str, object]] = []
        for turn in range(min(PER_TALK, replies - number * PER_TALK)):
            case = cases[(number * PER_TALK + turn) % len(cases)]
            at = _BEGIN + timedelta(days=number % 90, hours=turn)
            messages += [
                _message(len(messages) + n, f"user{number + 1}", text, at)
                for n, text in enumerate(case.burst)
            ]
            answer = _ANSWERS[case.language]
            messages.append(_message(len(messages), f"user{_OWNER}", answer, at + timedelta(minutes=20)))
        chats.append(
            {"name": f"Vera {number}", "type": "personal_chat", "id": number + 1, "messages": messages}
        )
    told = {"personal_information": {"user_id": _OWNER, "first_name": "Olga"}, "chats": {"list": chats}}
    (folder / "result.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def _message(number: int, writer: str, text: str, at: datetime) -> dict[str, object]:
    return {
        "id": number,
        "type": "message",
        "date": at.strftime("%Y-%m-%dT%H:%M:%S"),
        "date_unixtime": str(int(at.timestamp())),
        "from": writer,
        "from_id": writer,
        "text": text,
        "text_entities": [{"type": "plain", "text": text}],
    }
