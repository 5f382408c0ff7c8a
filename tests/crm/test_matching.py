"""Telling people apart: spelling, alphabets, nicknames, relatives, and what a whole set of records says."""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from crm.matching.keys import birth_of, company_words, email_key, phone_key
from crm.matching.letters import latin, sounds
from crm.matching.linking import THRESHOLD, score_people
from crm.matching.nicknames import groups_of
from crm.matching.people import Person, split_name
from infra.bench._address_people import Dirt
from infra.bench._address_people import make as make_addresses
from infra.bench._crm_people import make as make_contacts
from infra.bench.matching import matched


@pytest.mark.parametrize(
    "spellings",
    [
        "Юлия Yuliya Yulia Iuliia Julija Julia",
        "Сергей Sergey Sergei Sergej Serguei",
        "Щербаков Shcherbakov Scherbakov Ščerbakov",
        "Хрущёв Khrushchev Khrushchyov Hruschev",
        "Чайковский Chaykovskiy Chaikovsky Tchaikovsky Čajkovskij",
        "Евгений Evgeny Evgeniy Yevgeny Evgenij Evgenii",
        "Зайцев Zaitsev Zaytsev Sajzew",
        "Джонсон Johnson",
        "Смит Smith",
        "Уильям William",
    ],
)
def test_a_name_sounds_the_same_in_every_spelling(spellings: str) -> None:
    first, *others = spellings.split()

    assert [word for word in others if not set(sounds(word)) & set(sounds(first))] == []


@pytest.mark.parametrize(
    ("one", "other"), [("Мария", "Марина"), ("Daniel", "Danielle"), ("Иванов", "Ивашов"), ("Смит", "Шмидт")]
)
def test_other_names_sound_different(one: str, other: str) -> None:
    assert not set(sounds(one)) & set(sounds(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Саша", "Александр"),
        ("Sasha", "Александра"),
        ("Bob", "Robert"),
        ("Катя", "Ekaterina"),
        ("Mike", "Михаил"),
    ],
)
def test_a_nickname_belongs_to_the_name(one: str, other: str) -> None:
    assert set(groups_of(one)) & set(groups_of(other))


def test_a_nickname_does_not_join_all_names() -> None:
    assert not set(groups_of("Саша")) & set(groups_of("Мария"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b.c+x@gmail.com", "ABC@googlemail.com"),
        ("vera.lind@yandex.ru", "vera-lind@ya.ru"),
        ("vera+crm@outlook.com", "vera@outlook.com"),
    ],
)
def test_addresses_that_are_one_mailbox(one: str, other: str) -> None:
    assert email_key(one) == email_key(other) != ""


def test_dots_and_tags_count_where_the_provider_does_not_say_otherwise() -> None:
    assert email_key("a.b@example.com") != email_key("ab@example.com")
    assert email_key("a+b@example.com") != email_key("a@example.com")
    assert email_key("not an address") == ""


@pytest.mark.parametrize(
    ("number", "region", "key"),
    [
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("+7 912 345 67 89", None, "+79123456789"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("345-67-89", None, ""),
        ("call me", "RU", ""),
    ],
)
def test_a_phone_number_in_one_spelling(number: str, region: str | None, key: str) -> None:
    assert phone_key(number, region) == key


@pytest.mark.parametrize(
    "text", ["1915-11-30", "30.11.1915", "11/30/1915", "19151130", "1915-11-30T00:00:00"]
)
def test_a_date_of_birth_in_one_spelling(text: str) -> None:
    assert birth_of(text) == "19151130"


@pytest.mark.parametrize(
    "name",
    ["ООО «Ромашка»", 'Общество с ограниченной ответственностью "Ромашка"', "Romashka LLC", "ROMASHKA, Inc."],
)
def test_a_company_without_its_legal_form(name: str) -> None:
    assert company_words(name) == ("romashka",)


def test_a_company_that_is_called_like_a_legal_form_keeps_its_name() -> None:
    assert company_words("SE Group") == ("se", "group")


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Иван Петров", ("Иван", "Петров")),
        ("Петров Иван Ильич", ("Иван Ильич", "Петров")),
        ("Smith, John", ("John", "Smith")),
        ("Dr. Anna Maria Lopez", ("Anna Maria", "Lopez")),
        ("John Smith Jr.", ("John Jr.", "Smith")),
        ("Cher", ("Cher", "")),
    ],
)
def test_a_full_name_in_either_order(full: str, parts: tuple[str, str]) -> None:
    assert split_name(full) == parts


IVAN = Person(
    "1",
    "Иван",
    "Щербаков",
    street="ул. Ленина, д. 5, кв. 3",
    postcode="101000",
    date_of_birth="12.03.1961",
    phones=("+7 495 123-45-67",),
)


def _probability(one: Person, other: Person) -> float:
    scored = score_people([one, replace(other, id="2")])
    return float(scored.scores[0]) if len(scored.scores) else 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"given_name": "Ivan", "surname": "Shcherbakov"},
        {"given_name": "Ваня", "surname": "Щербаков"},
        {"given_name": "Щербаков", "surname": "Иван"},
        {"surname": "Щербоков", "date_of_birth": "03.12.1961"},
        {"street": "Ленина 5-3", "phones": ("8 495 123 45 67",), "date_of_birth": ""},
    ],
    ids=["transliterated", "nickname", "swapped", "misspelt", "less known"],
)
def test_the_same_person_written_otherwise(change: dict[str, str]) -> None:
    assert _probability(IVAN, replace(IVAN, **change)) >= THRESHOLD  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"given_name": "Пётр", "date_of_birth": "30.07.1988"},
        {"date_of_birth": "30.07.1988"},
        {"given_name": "Мария", "surname": "Щербакова", "date_of_birth": "01.10.1963"},
    ],
    ids=["son", "son of the same name", "wife"],
)
def test_a_relative_of_the_same_address_and_phone_is_somebody_else(change: dict[str, str]) -> None:
    assert _probability(IVAN, replace(IVAN, **change)) < THRESHOLD  # type: ignore[arg-type]


def test_colleagues_with_one_office_phone_are_two_people() -> None:
    office = Person(
        "1", "Anna", "West", phones=("+44 20 7946 0018",), emails=("a.west@acme.com",), company="Acme"
    )
    other = replace(
        office, given_name="Tom", surname="Burke", emails=("t.burke@acme.com",), company="Acme Ltd"
    )

    assert _probability(office, other) < THRESHOLD


# On a smaller set of the same kind, so that one pair weighs more; `getsale bench matching` measures the whole.
def test_contacts_are_told_apart_in_both_languages() -> None:
    labelled = make_contacts(2_000, 800, seed=7)

    found = matched(labelled)

    right = len(found & labelled.matches)
    assert right / len(found) >= 0.99
    assert right / len(labelled.matches) >= 0.95


@pytest.mark.parametrize("apart", [False, True], ids=["one file", "two files"])
def test_garbled_addresses_are_found(apart: bool) -> None:
    labelled = make_addresses(800, 800, Dirt(), seed=7, apart=apart)

    found = matched(labelled)

    right = len(found & labelled.matches)
    assert 2 * right / (len(found) + len(labelled.matches)) >= 0.97


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_can_be_spelt_and_sounded(text: str) -> None:
    assert latin(latin(text)) == latin(text)
    assert all(sounds(text))


_values = st.text(max_size=12)
_people = st.builds(
    Person,
    id=st.uuids().map(str),
    given_name=_values,
    surname=_values,
    street=_values,
    suburb=_values,
    postcode=_values,
    state=_values,
    date_of_birth=_values | st.dates().map(str),
    phones=st.lists(_values, max_size=2).map(tuple),
    emails=st.lists(_values | st.emails(), max_size=2).map(tuple),
    company=_values,
)


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(_people, max_size=6))
def test_any_records_give_probabilities_of_unordered_pairs(people: list[Person]) -> None:
    scored = score_people(people)

    pairs = [tuple(pair) for pair in scored.pairs.tolist()]
    assert len(set(pairs)) == len(pairs)
    assert all(one < other < len(people) for one, other in pairs)
    assert all(0 <= score <= 1 for score in scored.scores.tolist())


@settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(_people, max_size=4), st.lists(_people, max_size=4))
def test_two_files_are_only_compared_with_each_other(left: list[Person], right: list[Person]) -> None:
    pairs = score_people(left, right).pairs.tolist()

    assert all(one < len(left) <= other for one, other in pairs)
