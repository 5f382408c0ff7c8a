"""The inbox agent with the real small model, in both languages: every message ends in a draft or a named handoff."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic

import pytest

from agents.llm.models import ModelChoice, Models
from core.db import Database
from core.settings import Settings
from crm.facts.actions import assert_text
from crm.runs.model_calls import total_of_run
from tests.support.local_model import running_local_model
from tests.support.office import Office, make_office
from tests.support.organizations import make_organization

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("local-model")]

FACTS = {
    "en": {
        "delivery": "Scanners are delivered within 10 working days in the EU",
        "trial": "A pilot with 5 scanners is free for 30 days",
    },
    "ru": {
        "delivery": "Сканеры доставляются за 10 рабочих дней",
        "trial": "Пилот на 5 сканеров бесплатный, длится 30 дней",
    },
}
# What the facts answer, what they do not, and at the end what a person should take over.
MESSAGES = {
    "en": (
        "Hi! What would 40 scanners cost us?",
        "What happens to the scans when there is no signal in the warehouse?",
        "Could we have a demo on Thursday at 10?",
        "Honestly, Zebra is cheaper. Why should we switch?",
        "How long does delivery take?",
        "Can we try a few scanners before we buy?",
        "Does it integrate with SAP?",
        "I want to talk to a real person, not a bot.",
        "This is the third time you ignore my complaint. This is outrageous!",
        "Please stop writing to me.",
    ),
    "ru": (
        "Здравствуйте! Сколько будут стоить 40 сканеров?",
        "Что будет со сканами, если на складе пропадёт связь?",
        "Можно показать продукт в четверг в 10?",
        "Честно говоря, у Zebra дешевле. Зачем нам переходить?",
        "Как долго идёт доставка?",
        "Можно попробовать несколько сканеров до покупки?",
        "Есть ли интеграция с 1С?",
        "Хочу поговорить с живым человеком, а не с ботом.",
        "Вы третий раз не отвечаете на мою жалобу. Это безобразие!",
        "Пожалуйста, не пишите мне больше.",
    ),
}
FOR_PEOPLE = 3


@dataclass(frozen=True)
class Ended:
    """How one message ended."""

    message: str
    outcome: str
    text: str
    reason: str
    seconds: float
    tokens: int

    def __str__(self) -> str:
        how = f"**{self.outcome}** {self.reason}".strip()
        return f"> {self.message}\n\n{how} ({self.seconds:.1f} s, {self.tokens} tokens): {self.text}\n"


@pytest.fixture(scope="module")
async def local_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with running_local_model(tmp_path_factory.mktemp("local-model")) as url:
        yield url


async def _office(db: Database, settings: Settings, language: str) -> Office:
    office = await make_office(db, await make_organization(db), settings, language=language)
    conversation_of = office.world.receive
    await conversation_of("Hello" if language == "en" else "Здравствуйте")
    conversation = await office.conversation()
    async with db.transaction(office.owner, "test") as tx:
        for predicate, text in FACTS[language].items():
            subject = ("contact", conversation.contact_id)
            await assert_text(tx, subject=subject, predicate=predicate, text=text, source_label=predicate)
    office.model = Models(settings)(ModelChoice("local"))
    return office


async def _answer(office: Office, message: str) -> Ended:
    began = monotonic()
    run = await office.answer(message)
    seconds = monotonic() - began
    found = await office.draft()
    conversation = await office.conversation()
    async with office.db.transaction(office.owner, "test") as tx:
        used = await total_of_run(tx, run.id)
    text = found[0].body if found else conversation.handoff_summary or run.reason
    reason = str(conversation.handoff_reason or "")
    return Ended(message, run.outcome, text, reason, seconds, used.tokens_in + used.tokens_out)


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_message_ends_in_a_draft_or_a_named_handoff(
    database: Database, settings: Settings, local_url: str, language: str
) -> None:
    settings = settings.model_copy(update={"local_model_url": local_url, "agent_patience": 6.0})
    ended = []
    for message in MESSAGES[language]:
        ended.append(await _answer(await _office(database, settings, language), message))
        print(ended[-1], flush=True)

    drafts = [end for end in ended if end.outcome == "drafted"]
    print(
        f"{language}: {len(drafts)} drafts, {sum(end.seconds for end in drafts) / max(len(drafts), 1):.1f} s each"
    )
    assert all(end.outcome == "drafted" or end.reason for end in ended)
    assert len(drafts) >= len(ended) - FOR_PEOPLE - 1
    assert [end.outcome for end in ended[-FOR_PEOPLE:]] == ["handed_off"] * FOR_PEOPLE
    assert all(_is_in(end.text, language) for end in drafts)
    assert not any("9000" in end.text for end in drafts)


def _is_in(text: str, language: str) -> bool:
    """Most letters are of the language's script."""
    letters = [letter for letter in text if letter.isalpha()]
    cyrillic = sum("а" <= letter.lower() <= "я" or letter in "ёЁ" for letter in letters)
    return (cyrillic * 2 > len(letters)) == (language == "ru")
