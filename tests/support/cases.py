"""Cases as an agent shows them to a model, put together by hand."""

from datetime import UTC, datetime, timedelta

from agents.inbox.contract import Case, CaseContact, CaseEvidence, CaseMessage, DraftAnswer

NOW = datetime(2026, 11, 24, 11, 42, tzinfo=UTC)


def case(
    *lines: str,
    language: str = "en",
    name: str = "Daria Velnikova",
    history: tuple[tuple[str, str], ...] = (),
    evidence: tuple[CaseEvidence, ...] = (),
    feedback: str = "",
    files: tuple[str, ...] = (),
) -> Case:
    """A burst of lines; `history` is (author, text), six weeks ago; `files` come with the last line."""
    new = [CaseMessage(n=n, author="contact", text=text, at=NOW) for n, text in enumerate(lines, start=1)]
    if files:
        new[-1] = new[-1].model_copy(update={"files": files})
    return Case(
        now=NOW,
        contact=CaseContact(id="contact", name=name, language=language),
        new_messages=tuple(new),
        history=tuple(
            CaseMessage.model_validate(
                {"n": 50 + n, "author": author, "text": text, "at": NOW - timedelta(days=46)}
            )
            for n, (author, text) in enumerate(history)
        ),
        evidence=evidence,
        feedback=feedback,
    )


def deal(n: int, name: str, amount_minor: int = 816000, outcome: str = "open") -> CaseEvidence:
    details = {"amount_minor": str(amount_minor), "currency": "EUR", "outcome": outcome, "probability": "60"}
    return CaseEvidence(n=n, kind="deal", id="deal", label=name, text="", trust="confirmed", details=details)


def fact(n: int, predicate: str, text: str, trust: str = "confirmed") -> CaseEvidence:
    return CaseEvidence(
        n=n,
        kind="fact",
        id="fact",
        label="Price list",
        text=text,
        trust=trust,
        details={"predicate": predicate},
    )


def relation(n: int, person: str, via: str = "", hops: int = 1, text: str = "met") -> CaseEvidence:
    details = {"person": person, "person_id": "person", "via": via, "hops": str(hops)}
    return CaseEvidence(
        n=n, kind="relationship", id="fact", label=person, text=text, trust="confirmed", details=details
    )


def body(answer: DraftAnswer) -> str:
    return " ".join(sentence.text for sentence in answer.sentences)


def cited(answer: DraftAnswer) -> set[int]:
    return {n for sentence in answer.sentences for n in sentence.evidence}
