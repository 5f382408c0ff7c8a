"""The inbox agent answers from documents: recalled, cited by page, quoted by line, and only where it may."""

import pytest

from core.db import Database
from core.principal import Principal
from core.settings import Settings
from crm.drafts.models import EvidenceKind
from crm.knowledge import actions
from crm.knowledge.models import File
from memory import knowledge
from memory.documents.models import Chunk
from memory.documents.reader import Read
from tests.support.office import Office, make_office

EN = Chunk(
    "Scanners | Billed monthly | Paid yearly\n25–99 | €20 | €17\n100–249 | €17.50 | €15",
    "en", 7, 2, ("Price per scanner and month",),
)  # fmt: skip
RU = Chunk(
    "Сканеров | Помесячно | При оплате за год\n25–99 | 20 € | 17 €\n100–249 | 17,50 € | 15 €",
    "ru", 7, 4, ("Сколько стоит подписка, за сканер в месяц",),
)  # fmt: skip
QUESTIONS = {"en": "What is the price for 120 scanners?", "ru": "Сколько стоит на 120 сканеров?"}


async def _learn(office: Office, *chunks: Chunk, is_publishable: bool = True) -> None:
    async with office.db.transaction(office.owner, "test") as tx:
        document_id, _ = await actions.add_document(
            tx, File("Price list 2026.pdf", "a" * 64, 10), is_publishable=is_publishable
        )
        version = await knowledge.find_unread(tx, document_id)
        assert version is not None
        await knowledge.keep_passages(tx, version, Read("application/pdf", ("en", "ru"), 4, 3, list(chunks)))


@pytest.mark.parametrize(
    ("language", "page", "line", "told"),
    [
        ("en", 2, "100–249 | €17.50 | €15", "“100–249”: billed monthly €17.50, paid yearly €15"),
        ("ru", 4, "100–249 | 17,50 € | 15 €", "«100–249»: помесячно 17,50 €, при оплате за год 15 €"),
    ],
)
async def test_a_draft_cites_the_page_and_quotes_the_line(
    database: Database,
    organization: Principal,
    settings: Settings,
    language: str,
    page: int,
    line: str,
    told: str,
) -> None:
    office = await make_office(database, organization, settings, language=language)
    await _learn(office, EN, RU)

    await office.answer(QUESTIONS[language])

    found = await office.draft()
    assert found is not None
    draft, evidence = found
    assert told in draft.body
    used = [e for e in evidence if e.is_used and e.kind is EvidenceKind.KNOWLEDGE]
    assert {(e.label, e.quote) for e in used} == {(f"Price list 2026.pdf, page {page}", line)}
    assert draft.flags == []


async def test_what_is_for_the_team_alone_never_comes_to_mind(
    database: Database, organization: Principal, settings: Settings
) -> None:
    office = await make_office(database, organization, settings)
    await _learn(office, EN, is_publishable=False)

    await office.answer(QUESTIONS["en"])

    found = await office.draft()
    assert found is not None
    assert "17.50" not in found[0].body
    assert not [e for e in found[1] if e.kind is EvidenceKind.KNOWLEDGE]


async def test_where_a_document_is_newer_than_a_fact_the_reviewer_sees_both(
    database: Database, organization: Principal, settings: Settings
) -> None:
    office = await make_office(database, organization, settings)
    dearer = EN.text.replace("€17\n", "€19\n")
    await _learn(office, Chunk(dearer, "en", 7, 2, EN.heading))

    await office.answer("What is the price for 60 scanners if we pay yearly?")

    found = await office.draft()
    assert found is not None
    assert "€19" in found[0].body
    (flag,) = found[0].flags
    assert (flag["kind"], flag["value"]) == ("sources_differ", "€19")
    assert "Price list 2026: 25 to 99 scanners cost €17 each a month" in flag["text"]
