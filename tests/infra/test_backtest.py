"""`getsale eval backtest`: past talks of a file or of the organization itself, and an agent that drafts in them."""

import mailbox
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.llm.base import ModelReply, ModelRequest
from agents.llm.models import Models
from agents.llm.offline.model import OfflineModel
from core import clock
from core.db import Database
from core.errors import Unprocessable
from core.principal import Principal
from core.settings import Settings
from crm.channel_accounts.actions import keep_imported_account
from crm.channel_accounts.queries import get_channel_account
from crm.contacts.actions import create_contact
from crm.contacts.models import NewContact
from crm.conversations.history import PastMessage, import_conversation
from crm.evaluations.models import EvalCase, EvalRun
from crm.facts.actions import assert_text
from crm.identity.queries import get_organization
from evals import running
from evals.cases import Case
from evals.examiner import Examiner
from evals.planning import plan
from evals.suites import find_suite
from infra.bench.histories import write_export
from infra.evaluation import past, telling
from infra.evaluation.talks import read_talks
from tests.support.evaluating import cases_of
from tests.support.mail import SALES, VERA, written

THEN = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
EXPORTS = Path(__file__).parents[1] / "channels" / "exports"


def _mbox(folder: Path, *mails: bytes) -> Path:
    box = mailbox.mbox(folder / "mails.mbox")
    for mail in mails:
        box.add(mail)
    box.close()
    return folder / "mails.mbox"


async def test_a_telegram_export_is_read_as_it_is_imported(settings: Settings) -> None:
    talks = {talk.person.name: talk for talk in await read_talks(EXPORTS / "sales", settings)}

    vera = talks["Vera Lind"]
    assert [line.is_ours for line in vera.lines] == [False, True, True, False, False, False, False]
    assert talks["Олег Дорн"].person.language == "ru"


async def test_mails_are_put_into_threads_with_each_person(settings: Settings, tmp_path: Path) -> None:
    with clock.frozen(THEN):
        asked = written("What do 40 scanners cost?", mail_id="1@x")
    with clock.frozen(THEN + timedelta(hours=1)):
        answered = written(
            "€17 each a month.", sender=SALES, to=VERA, subject="Re: Price", mail_id="2@x", answers=("1@x",)
        )
    with clock.frozen(THEN + timedelta(hours=2)):
        away = written("I am away", subject="Re: Price", answers=("2@x",), auto_submitted="auto-replied")
        other = written("Do you ship to Oslo?", sender="oleg@dorn.example", subject="Oslo", mail_id="3@x")

    talks = await read_talks(_mbox(tmp_path, answered, away, other, asked), settings)

    assert [[line.text for line in talk.lines] for talk in talks] == [
        ["What do 40 scanners cost?", "€17 each a month."],
        ["Do you ship to Oslo?"],
    ]
    assert talks[0].person.name == "Vera Lind"


async def test_mails_that_do_not_tell_whose_they_are_need_an_address(
    settings: Settings, tmp_path: Path
) -> None:
    file = _mbox(tmp_path, written("Hello"))

    with pytest.raises(Unprocessable, match="--me"):
        await read_talks(file, settings)
    assert [line.is_ours for talk in await read_talks(file, settings, SALES) for line in talk.lines] == [
        False
    ]


async def _imported(database: Database, organization: Principal) -> None:
    """A talk of the organization in which a colleague answered twice, and what it learned in between and afterwards."""
    async with database.transaction(organization, "test") as tx:
        account_id = await keep_imported_account(tx, channel="telegram", name="Olga", address="1")
        contact = await create_contact(tx, NewContact("Vera Lind"))
        lines = [
            (True, "What do 40 scanners cost?", 0),
            (False, "25 to 99 scanners cost €17 each a month.", 30),
            (True, "And what do 40 scanners cost, please?", 60 * 48),
            (False, "25 to 99 scanners cost €17 each a month.", 60 * 48 + 30),
        ]
        messages = [
            PastMessage(
                is_inbound,
                "contact" if is_inbound else "user",
                contact.id if is_inbound else organization.id,
                text,
                THEN + timedelta(minutes=minutes),
            )
            for is_inbound, text, minutes in lines
        ]
        account = await get_channel_account(tx, account_id)
        await import_conversation(tx, account, contact.id, chat_id="700000001", messages=messages)
    with clock.frozen(THEN + timedelta(days=1)):
        async with database.transaction(organization, "test") as tx:
            price = "25 to 99 scanners cost €17 each a month"
            await assert_text(
                tx, subject=("contact", contact.id), predicate="price", text=price, source_label="List"
            )
    with clock.frozen(THEN + timedelta(days=9)):
        async with database.transaction(organization, "test") as tx:
            await assert_text(tx, subject=("contact", contact.id), predicate="price", text="€99 since today")


async def _backtested(
    database: Database, organization: Principal, examiner: Examiner, cases: list[Case]
) -> tuple[EvalRun, list[EvalCase]]:
    run = await running.start(database, organization, plan(find_suite("backtest"), cases, model="offline"))
    await running.play_waiting(database, organization, run, examiner)
    return await running.finish(database, organization, run.id), await cases_of(database, organization, run)


async def test_an_agent_answers_with_what_was_known_at_each_point(
    database: Database, organization: Principal, settings: Settings
) -> None:
    await _imported(database, organization)
    async with database.transaction(organization, "test") as tx:
        slug = (await get_organization(tx)).slug

    cases = await past.points(settings, slug, None)
    run, played = await _backtested(
        database, organization, Examiner(database, settings, Models(settings)), cases
    )

    assert [[fact.text for fact in case.stage().facts] for case in cases] == [
        [],
        ["25 to 99 scanners cost €17 each a month"],
    ]
    assert [case.is_passed for case in played] == [False, True]
    assert run.figures["agrees@price"]["value"] == 0.5  # type: ignore[index, call-overload]
    assert all(case.trace and not case.trace["state"]["messages.out"] for case in played[:1])  # type: ignore[index, call-overload]


class _WrongPrice(OfflineModel):
    async def complete(self, request: ModelRequest) -> ModelReply:
        reply = await super().complete(request)
        return ModelReply(text=reply.text.replace("€17", "€71"))


async def test_a_wrong_price_does_not_agree(
    database: Database, organization: Principal, settings: Settings
) -> None:
    await _imported(database, organization)
    async with database.transaction(organization, "test") as tx:
        slug = (await get_organization(tx)).slug

    cases = await past.points(settings, slug, None)
    run, played = await _backtested(
        database, organization, Examiner(database, settings, lambda _: _WrongPrice()), cases
    )

    assert [case.is_passed for case in played] == [False, False]
    assert "lacks 17; has 71" in telling.as_json(run, played)["failed"][1]["why"]  # type: ignore[index, call-overload, operator]
    assert "colleague  25 to 99 scanners cost €17" in telling.backtest_lines(run, played)


async def test_a_file_in_which_nobody_answers_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Unprocessable, match="Nobody of us answers anybody"):
        await past.points(settings, "any", _mbox(tmp_path, written("Hello")), me=SALES)


async def test_histories_for_the_bench_have_so_many_answers(settings: Settings, tmp_path: Path) -> None:
    assert len(await past.points(settings, "any", write_export(tmp_path, 12))) == 12
