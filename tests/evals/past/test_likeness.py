"""How like two replies are is measured against what a reader of both would say."""

import pytest

from evals.likeness import Act, acts_of, figures_of, foremost, likeness, similarity

# (what the agent drafted, what the colleague wrote, whether they agree), judged by reading them.
PAIRS = [
    ("40 scanners cost €17 each a month.", "Hi Vera! For 40 scanners it is 17 € a month each.", True),
    ("40 scanners cost €71 each a month.", "Hi Vera! For 40 scanners it is 17 € a month each.", False),
    ("I will check and come back to you.", "Let me check with the warehouse and get back to you.", True),
    ("I will check the price and come back to you.", "The price for 40 scanners is €17 each.", False),
    ("Yes, one charge lasts 16 hours.", "It holds 16 hours on one charge.", True),
    ("Yes, one charge lasts 16 hours.", "Unfortunately we do not ship to Norway.", False),
    ("Unfortunately we do not deliver to Norway yet.", "We can't deliver to Norway, sorry.", True),
    ("We deliver to Norway within 5 working days.", "We can't deliver to Norway, sorry.", False),
    ("Thursday at 10:00 works for a call.", "Let's have a call on Thursday, 10:00.", True),
    ("Thursday at 10:00 works for a call.", "Let's have a call on Friday at 15:30.", False),
    ("You're welcome!", "Thanks, Vera!", True),
    ("You're welcome!", "The pilot runs 30 days and costs nothing.", False),
    ("How many scanners do you need?", "Which number of scanners do you need, roughly?", True),
    ("A pilot with 3 scanners runs 30 days.", "The pilot takes 30 days and includes 3 scanners.", True),
    ("A pilot with 3 scanners runs 30 days.", "Broken devices are replaced by us under the contract.", False),
    ("40 сканеров стоят 17 € каждый в месяц.", "Вера, здравствуйте! За 40 сканеров — 17 € в месяц за каждый.", True),
    ("40 сканеров стоят 71 € каждый в месяц.", "Вера, здравствуйте! За 40 сканеров — 17 € в месяц за каждый.", False),
    ("Уточню и вернусь с ответом.", "Проверю на складе и напишу вам.", True),
    ("Уточню цену и вернусь с ответом.", "Цена 40 сканеров — 17 € каждый.", False),
    ("Да, заряда хватает на 16 часов.", "Одного заряда хватает на 16 часов работы.", True),
    ("Да, заряда хватает на 16 часов.", "К сожалению, в Норвегию мы не доставляем.", False),
    ("К сожалению, в Норвегию пока не доставляем.", "Мы не можем доставить в Норвегию.", True),
    ("Доставим в Норвегию за 5 рабочих дней.", "Мы не можем доставить в Норвегию.", False),
    ("В четверг в 10:00 удобно созвониться.", "Давайте созвонимся в четверг, 10:00.", True),
    ("В четверг в 10:00 удобно созвониться.", "Давайте созвонимся в пятницу в 15:30.", False),
    ("Пожалуйста!", "Спасибо, Вера!", True),
    ("Сколько сканеров вам нужно?", "Какое количество сканеров вам нужно?", True),
    ("Пилот на 3 сканера длится 30 дней.", "Пилот идёт 30 дней, в него входят 3 сканера.", True),
    ("Пилот на 3 сканера длится 30 дней.", "Сломанные устройства мы меняем по договору.", False),
    ("Тимур, здравствуйте! Что вам рассказать?", "Тимур, привет! Сколько у вас комплектовщиков?", False),
    ("Инга, здравствуйте! Спасибо, что держите в курсе.", "Спасибо, Инга! Отгрузка в четверг, номер пришлю.", False),
    ("A pilot with 3 scanners runs 30 days.", "Пилот на 3 сканера длится 30 дней.", False),
]  # fmt: skip

# Written after the rules. When it was first tried 4 of 20 were judged otherwise than by a reader; of two of these the
# rules have learned since, so that it is a measure of what was only until then.
LATER = [
    ("The warranty is two years.", "You have a two-year warranty on every device.", True),
    ("The warranty is two years.", "We invoice monthly, 30 days net.", False),
    ("I'll ask our engineer and let you know.", "Good question, I need to find out from engineering.", True),
    ("There is a REST API and an SAP connector.", "Yes: REST API, plus a ready connector for SAP.", True),
    ("There is a REST API and an SAP connector.", "No, we have no integration with SAP.", False),
    ("We can meet on 12 October at 14:00.", "I have time for a meeting on 12 October, 14:00.", True),
    ("The total is €8,160 a year.", "That makes 8 160 € per year in total.", True),
    ("The total is €8,160 a year.", "That makes 9 160 € per year in total.", False),
    ("Which address should we deliver to?", "Where should we send the devices?", True),
    ("Delivery takes five days.", "I'll have to check the delivery time.", False),
    ("Гарантия два года.", "На все устройства действует двухлетняя гарантия.", True),
    ("Гарантия два года.", "Счета выставляем ежемесячно, 30 дней на оплату.", False),
    ("Спрошу у инженера и сообщу вам.", "Хороший вопрос, узнаю у инженеров.", True),
    ("Есть REST API и коннектор к SAP.", "Да: REST API и готовый коннектор для SAP.", True),
    ("Есть REST API и коннектор к SAP.", "Нет, интеграции с SAP у нас нет.", False),
    ("Можем встретиться 12 октября в 14:00.", "Есть время на встречу 12 октября, 14:00.", True),
    ("Итого 8 160 € в год.", "Всего выходит 8160 евро за год.", True),
    ("Итого 8 160 € в год.", "Всего выходит 9160 евро за год.", False),
    ("По какому адресу доставить?", "Куда отправить устройства?", True),
    ("Доставка занимает пять дней.", "Срок доставки уточню.", False),
]  # fmt: skip


def _wrong(pairs: list[tuple[str, str, bool]]) -> list[tuple[str, str, bool]]:
    return [pair for pair in pairs if likeness(pair[0], pair[1]).agrees != pair[2]]


def test_it_agrees_with_a_reader() -> None:
    assert len(_wrong(PAIRS)) <= len(PAIRS) * 0.1


def test_it_agrees_with_a_reader_on_later_pairs() -> None:
    assert len(_wrong(LATER)) <= len(LATER) * 0.2


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("Hello Vera! I'll check and come back to you.", Act.DEFERS),
        ("We cannot do that.", Act.DECLINES),
        ("It weighs 300 g. Shall I send a sheet?", Act.TELLS),
        ("Shall we have a call?", Act.MEETS),
        ("How many do you need?", Act.ASKS),
        ("Thanks, Vera!", Act.CLOSES),
        ("Здравствуйте! Уточню у коллег и вернусь.", Act.DEFERS),
        ("К сожалению, не можем.", Act.DECLINES),
        ("Весит 300 г.", Act.TELLS),
        ("Давайте созвонимся?", Act.MEETS),
        ("Сколько вам нужно?", Act.ASKS),
        ("Спасибо!", Act.CLOSES),
    ],
)
def test_a_reply_does_what_its_sentences_do(text: str, act: Act) -> None:
    assert foremost(acts_of(text)) is act


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("€1,200.50", "1 200,50 €"),
        ("at 9:00", "в 09:00"),
        ("10%", "10 процентов"),
        ("https://x.example/a.", "https://x.example/a"),
    ],
)
def test_figures_are_read_not_compared_letter_by_letter(one: str, other: str) -> None:
    assert figures_of(one) == figures_of(other) != frozenset()


def test_what_the_contact_said_may_be_said_again() -> None:
    found = likeness("For 40 scanners it is €17.", "It is €17 each.", "What do 40 scanners cost?")

    assert (found.missing, found.extra, found.shared) == (frozenset(), frozenset(), 1)


def test_endings_make_no_difference() -> None:
    assert similarity("Доставка сканеров", "Доставку сканера") == 1.0
    assert similarity("the same scanners", "a same scanner") == 1.0
    assert similarity("warranty", "price") == 0.0


def test_one_other_figure_is_not_as_good() -> None:
    assert likeness("It is €17 each a month.", "It is €17 each a month.").is_as_good
    assert not likeness("It is €18 each a month.", "It is €17 each a month.").is_as_good
