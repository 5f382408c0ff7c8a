"""Price lists as evidence: the right row for a quantity, told in words, cited, and never made up."""

import pytest

from agents.inbox.contract import Case, CaseEvidence
from agents.inbox.items import Item
from agents.inbox.quotes import quote_of
from agents.llm.offline.prices import Span, money_in, span_of
from agents.llm.offline.replies import write_reply
from core.ids import uuid7
from core.trust import Trust
from crm.drafts.models import EvidenceKind
from tests.support.cases import body, case, cited, fact

EN = "Scanners | Billed monthly | Paid yearly\n1–9 | €26 | €23\n25–99 | €20 | €17\n250+ | on request | on request"
RU = "Сканеров | Помесячно | При оплате за год\n1–9 | 26 € | 23 €\n25–99 | 20 € | 17 €\nот 250 | по запросу | по запросу"
SERVICES = "Service | Price\nInstallation on site, per day | €640\nSpare battery | €39"


def passage(n: int, text: str, heading: str = "", **details: str) -> CaseEvidence:
    label = "Price list 2026.pdf, page 2"
    details = {"heading": heading, **details}
    return CaseEvidence(
        n=n, kind="knowledge", id="d", label=label, text=text, trust="confirmed", details=details
    )


LIST_EN = passage(30, EN, "Subscription, per scanner and month")
LIST_RU = passage(31, RU, "Подписка, за один сканер в месяц")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("25–99", 25, 99),
        ("25 - 99 users", 25, 99),
        ("от 25 до 99 сканеров", 25, 99),
        ("from 25 to 99", 25, 99),
        ("с 25 по 99 человек", 25, 99),
        ("1 000–4 999", 1000, 4999),
        ("50+", 50, None),
        ("от 50", 50, None),
        ("50 и более", 50, None),
        ("more than 50", 51, None),
        ("свыше 50", 51, None),
        ("up to 10", 0, 10),
        ("до 10 человек", 0, 10),
        ("менее 10", 0, 9),
        ("fewer than 10 seats", 0, 9),
        ("50", 50, 50),
        ("Команда (11–50 мест)", 11, 50),
    ],
)
def test_a_cell_says_for_which_quantities_it_holds(text: str, low: int, high: int | None) -> None:
    assert span_of(text) == Span(low, high)


@pytest.mark.parametrize("text", ["Spare battery", "€640", "от 640 €", "Integration with SAP or 1C", ""])
def test_what_counts_nothing_is_no_span(text: str) -> None:
    assert span_of(text) is None


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("€1,900", "1900", "EUR"),
        ("17,50 €", "17.50", "EUR"),
        ("1 700 ₽", "1700", "RUB"),
        ("12 500,00 руб.", "12500.00", "RUB"),
        ("$12.50 per user", "12.50", "USD"),
        ("USD 1,200.50", "1200.50", "USD"),
    ],
)
def test_sums_are_read_as_they_are_written(text: str, amount: str, currency: str) -> None:
    (found,) = money_in(text)

    assert (str(found.amount), found.currency) == (amount, currency)


def test_fifty_people_get_the_row_that_holds_fifty() -> None:
    answer = write_reply(case("сколько стоит на 50 человек?", language="ru", evidence=(LIST_EN, LIST_RU)))

    assert (
        "На 50 человек в прайсе есть строка «25–99»: помесячно 20 €, при оплате за год 17 € "
        "(подписка, за один сканер в месяц). На 50 получается 50 × 20 € = 1000 € в месяц (помесячно), "
        "50 × 17 € = 850 € в месяц (при оплате за год)."
    ).replace("0 €", "0\u00a0€") in body(answer).replace("0 €", "0\u00a0€")
    assert cited(answer) == {31}
    assert answer.missing == ()


def test_the_column_of_the_condition_is_told_alone() -> None:
    answer = write_reply(case("how much for 50 people if we pay yearly?", evidence=(LIST_EN, LIST_RU)))

    assert "“25–99”: paid yearly €17 (subscription, per scanner and month)" in body(answer)
    assert "50 × €17 = €850 a month (paid yearly)" in body(answer)
    assert "€20" not in body(answer)


def test_a_row_without_a_sum_is_told_as_it_stands() -> None:
    answer = write_reply(case("price for 400 scanners?", evidence=(LIST_EN,)))

    assert "“250+”: billed monthly on request, paid yearly on request" in body(answer)
    assert "400 ×" not in body(answer)


def test_a_quantity_that_no_row_holds_is_not_guessed() -> None:
    answer = write_reply(case("price for 15 scanners?", evidence=(LIST_EN,)))

    assert "€" not in body(answer)
    assert answer.missing == ("15 scanners",)


def test_no_total_is_computed_where_the_list_does_not_say_for_how_many() -> None:
    answer = write_reply(case("price for 50 seats?", evidence=(passage(30, "Seats | Price\n25–99 | €900"),)))

    assert "“25–99”: price €900." in body(answer)
    assert "×" not in body(answer)


def test_a_thing_is_found_by_its_name() -> None:
    answer = write_reply(case("what does a spare battery cost?", evidence=(LIST_EN, passage(32, SERVICES))))

    assert "Spare battery: €39." in body(answer)
    assert cited(answer) == {32}


def test_without_a_quantity_the_steps_are_told() -> None:
    answer = write_reply(case("How much is it?", evidence=(LIST_EN,)))

    assert "1–9: €26; 25–99: €20; 250+: on request" in body(answer)
    assert "How many do you need?" in body(answer)


def test_a_price_in_prose_is_found_by_its_quantity() -> None:
    prose = passage(
        33, "Для команд до 10 человек — 900 ₽ за человека в месяц; от 11 до 60 — 750 ₽ за человека."
    )

    answer = write_reply(case("сколько стоит на 50 человек?", language="ru", evidence=(prose,)))

    assert "От 11 до 60 — 750 ₽ за человека." in body(answer)


def test_rows_that_nothing_tells_apart_are_all_told() -> None:
    first, second = (
        passage(40, "Users | Price\n1–99 | €5", "Basic"),
        passage(41, "Users | Price\n1–99 | €9", "Plus"),
    )

    both = write_reply(case("how much for 50 users?", evidence=(first, second)))
    one = write_reply(case("how much is Plus for 50 users?", evidence=(first, second)))

    assert "€5 (basic)" in body(both)
    assert "€9 (plus)" in body(both)
    assert "Which of these do you mean?" in body(both)
    assert "€5" not in body(one)


def test_a_document_in_another_language_is_quoted_as_such() -> None:
    answer = write_reply(case("how much for 50 people?", evidence=(LIST_RU,)))

    assert "From our notes, in Russian: “На 50 в прайсе есть строка «25–99»" in body(answer)


def _older_fact(text: str, at: str) -> CaseEvidence:
    evidence = fact(21, "price", text)
    return evidence.model_copy(update={"details": {**evidence.details, "recorded_at": at}})


def _conflict(fact_at: str, list_at: str) -> Case:
    noted = _older_fact("25 to 99 scanners cost €16 each", fact_at)
    listed = passage(30, EN, "Per scanner and month", updated_at=list_at)
    return case("price for 50 scanners?", evidence=(noted, listed))


def test_where_sources_differ_the_newer_is_told_and_the_other_named() -> None:
    list_is_newer = write_reply(_conflict("2026-01-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00"))
    fact_is_newer = write_reply(_conflict("2026-06-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"))

    assert "€20" in body(list_is_newer)
    assert [(d.value, d.text) for d in list_is_newer.doubts] == [
        ("€20", "Price list: 25 to 99 scanners cost €16 each.")
    ]
    assert "€16" in body(fact_is_newer)
    assert [(d.value, d.text) for d in fact_is_newer.doubts] == [
        ("€16", "Price list 2026.pdf, page 2: 25–99 | €20 | €17")
    ]


def test_sources_that_agree_raise_no_doubt() -> None:
    agreeing = fact(21, "price", "25 to 99 scanners cost €17 each a month, paid yearly")

    answer = write_reply(case("price for 50 scanners?", evidence=(agreeing, LIST_EN)))

    assert answer.doubts == ()


@pytest.mark.parametrize(
    ("question", "language", "heading", "line"),
    [
        (
            "and does it work without a network?",
            "en",
            "Does it work offline?",
            "Yes. Scans stay for 14 days.",
        ),
        ("а без интернета работает?", "ru", "Работает ли без интернета?", "Да. Сканы хранятся 14 дней."),
        ("Where do you store our data?", "en", "Where is the data stored?", "In Frankfurt, encrypted."),
        ("где хранятся наши данные?", "ru", "Где хранятся данные?", "Во Франкфурте."),
    ],
)
def test_a_question_is_answered_by_the_passage_under_its_heading(
    question: str, language: str, heading: str, line: str
) -> None:
    other = passage(50, "We were founded in 2012 and love warehouses. Мы основаны в 2012 году.", "About us")

    answer = write_reply(case(question, language=language, evidence=(other, passage(51, line, heading))))

    assert line in body(answer)
    assert cited(answer) == {51}


def test_what_is_not_meant_for_people_outside_is_not_told() -> None:
    inner = passage(30, EN, "Floor prices", is_publishable="False")

    answer = write_reply(case("price for 50 scanners?", evidence=(inner,)))

    assert "€" not in body(answer)


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("For 50 scanners it is €17 a month.", "25–99 | €20 | €17"),
        ("Up to nine scanners cost €26.", "1–9 | €26 | €23"),
        ("For 400 scanners the price is on request.", "250+ | on request | on request"),
    ],
)
def test_the_quote_is_the_line_that_the_statement_rests_on(statement: str, line: str) -> None:
    item = Item(1, EvidenceKind.KNOWLEDGE, uuid7(), "Price list.pdf, page 2", EN, Trust.CONFIRMED)

    assert quote_of(item, statement) == line
