"""Seeded contacts of a sales team, English and Russian: the same people written by hand, from mail and from Telegram,
beside relatives and colleagues who look alike."""

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from crm.matching.people import Person
from infra.bench._address_people import Labelled

_MEN = {
    "Александр": "Саша", "Алексей": "Лёша", "Анатолий": "Толя", "Андрей": "Андрюша", "Антон": "Тоша", "Артём": "Тёма", "Борис": "Боря",
    "Вадим": "Вадик", "Валерий": "Валера", "Василий": "Вася", "Виктор": "Витя", "Виталий": "Виталик", "Владимир": "Вова",
    "Владислав": "Влад", "Вячеслав": "Слава", "Геннадий": "Гена", "Георгий": "Гоша", "Григорий": "Гриша", "Даниил": "Даня", "Денис": "Дэн",
    "Дмитрий": "Дима", "Евгений": "Женя", "Егор": "Егорка", "Иван": "Ваня", "Игорь": "Игорёк", "Илья": "Илюша", "Кирилл": "Кирюша",
    "Константин": "Костя", "Леонид": "Лёня", "Максим": "Макс", "Михаил": "Миша", "Никита": "Никитос", "Николай": "Коля", "Олег": "Олежка",
    "Павел": "Паша", "Пётр": "Петя", "Роман": "Рома", "Руслан": "Русик", "Семён": "Сеня", "Сергей": "Серёжа", "Станислав": "Стас", "Степан": "Стёпа",
    "Тимофей": "Тима", "Фёдор": "Федя", "Юрий": "Юра", "Яков": "Яша", "Ярослав": "Ярик",
}  # fmt: skip
_WOMEN = {
    "Александра": "Саша", "Алина": "Аля", "Анастасия": "Настя", "Анна": "Аня", "Валентина": "Валя", "Валерия": "Лера", "Вера": "Верочка", "Виктория": "Вика",
    "Галина": "Галя", "Дарья": "Даша", "Евгения": "Женя", "Екатерина": "Катя", "Елена": "Лена", "Елизавета": "Лиза", "Ирина": "Ира", "Ксения": "Ксюша",
    "Лариса": "Лара", "Людмила": "Люда", "Маргарита": "Рита", "Марина": "Мариша", "Мария": "Маша", "Надежда": "Надя", "Наталья": "Наташа", "Ольга": "Оля",
    "Полина": "Поля", "Светлана": "Света", "Софья": "Соня", "Татьяна": "Таня", "Ульяна": "Уля", "Юлия": "Юля", "Яна": "Яночка",
}  # fmt: skip
_ENGLISH = {
    "Alexander": "Alex", "Andrew": "Andy", "Anthony": "Tony", "Benjamin": "Ben", "Charles": "Charlie", "Christopher": "Chris", "Daniel": "Dan",
    "David": "Dave", "Edward": "Ed", "George": "George", "Henry": "Harry", "James": "Jim", "John": "Jack", "Joseph": "Joe", "Kenneth": "Ken", "Matthew": "Matt",
    "Michael": "Mike", "Nicholas": "Nick", "Patrick": "Pat", "Peter": "Pete", "Philip": "Phil", "Richard": "Rick", "Robert": "Bob", "Samuel": "Sam",
    "Stephen": "Steve", "Thomas": "Tom", "Timothy": "Tim", "William": "Bill", "Abigail": "Abby", "Alexandra": "Sandra", "Catherine": "Kate",
    "Christine": "Tina", "Deborah": "Debbie", "Elizabeth": "Liz", "Jennifer": "Jenny", "Jessica": "Jess", "Judith": "Judy", "Margaret": "Peggy",
    "Pamela": "Pam", "Patricia": "Trish", "Rebecca": "Becky", "Samantha": "Sam", "Susan": "Sue", "Victoria": "Vicky", "Emma": "Em", "Oliver": "Ollie",
}  # fmt: skip
_ROOTS = [
    "Иван",
    "Смирн",
    "Кузнец",
    "Попов",
    "Васильев",
    "Петр",
    "Соколов",
    "Михайлов",
    "Новиков",
    "Фёдоров",
    "Морозов",
    "Волков",
    "Алексеев",
    "Лебедев",
    "Семёнов",
    "Егоров",
    "Павлов",
    "Козлов",
    "Степанов",
    "Николаев",
    "Орлов",
    "Андреев",
    "Макаров",
    "Никитин",
    "Захаров",
    "Зайцев",
    "Соловьёв",
    "Борисов",
    "Яковлев",
    "Григорьев",
    "Романов",
    "Воробьёв",
    "Сергеев",
    "Кузьмин",
    "Фролов",
    "Александров",
    "Дмитриев",
    "Королёв",
    "Гусев",
    "Киселёв",
    "Ильин",
    "Максимов",
    "Поляков",
    "Сорокин",
    "Виноградов",
    "Ковалёв",
    "Белов",
    "Медведев",
    "Антонов",
    "Тарасов",
    "Жуков",
    "Баранов",
    "Филиппов",
    "Комаров",
    "Давыдов",
    "Беляев",
    "Герасимов",
    "Богданов",
    "Осипов",
    "Сидоров",
    "Матвеев",
    "Титов",
    "Марков",
    "Миронов",
    "Крылов",
    "Куликов",
    "Карпов",
    "Власов",
    "Мельников",
    "Денисов",
    "Гаврилов",
    "Тихонов",
    "Казаков",
    "Афанасьев",
    "Данилов",
    "Савельев",
    "Тимофеев",
    "Фомин",
    "Чернов",
    "Абрамов",
    "Мартынов",
    "Ефимов",
    "Федотов",
    "Щербаков",
    "Назаров",
    "Калинин",
    "Исаев",
    "Чернышёв",
    "Быков",
    "Маслов",
    "Родионов",
    "Коновалов",
    "Лазарев",
    "Воронин",
    "Климов",
    "Филатов",
    "Пономарёв",
    "Голубев",
    "Кудрявцев",
    "Прохоров",
    "Наумов",
    "Потапов",
    "Журавлёв",
    "Овчинников",
    "Трофимов",
    "Леонов",
    "Соболев",
    "Ермаков",
    "Колесников",
    "Гончаров",
    "Емельянов",
    "Никифоров",
    "Грачёв",
    "Котов",
    "Гришин",
    "Ефремов",
    "Архипов",
    "Громов",
    "Кириллов",
    "Малышев",
    "Панов",
    "Моисеев",
    "Румянцев",
    "Акимов",
    "Кондратьев",
    "Бирюков",
    "Горбунов",
    "Анисимов",
    "Ерёмин",
    "Тихомиров",
    "Галкин",
    "Лукьянов",
    "Михеев",
    "Скворцов",
    "Юдин",
    "Белоусов",
    "Нестеров",
    "Симонов",
    "Прокофьев",
    "Харитонов",
    "Князев",
    "Цветков",
    "Левин",
    "Митрофанов",
    "Воронов",
    "Аксёнов",
    "Софронов",
    "Мальцев",
    "Логинов",
    "Горшков",
    "Савин",
    "Краснов",
    "Майоров",
    "Демидов",
    "Елисеев",
    "Рыбаков",
    "Сафонов",
    "Плотников",
    "Демин",
    "Хохлов",
    "Фадеев",
    "Молчанов",
    "Игнатов",
    "Литвинов",
    "Ершов",
    "Ушаков",
    "Дементьев",
    "Рябов",
    "Мухин",
    "Калашников",
    "Леонтьев",
    "Лобанов",
    "Кузин",
    "Корнеев",
    "Евдокимов",
    "Бородин",
    "Платонов",
    "Некрасов",
    "Балашов",
    "Бобров",
    "Жданов",
    "Блинов",
    "Игнатьев",
    "Коротков",
    "Муравьёв",
    "Крюков",
    "Беляков",
    "Богомолов",
    "Дроздов",
    "Лавров",
    "Зуев",
    "Петухов",
    "Ларин",
    "Никулин",
    "Серов",
    "Терентьев",
    "Зотов",
    "Устинов",
    "Фокин",
    "Самойлов",
    "Константинов",
    "Сахаров",
    "Шишкин",
    "Самсонов",
    "Черкасов",
    "Чистяков",
    "Носов",
    "Спиридонов",
    "Карасёв",
    "Авдеев",
    "Воронцов",
    "Зверев",
    "Владимиров",
    "Селезнёв",
    "Нечаев",
    "Кудряшов",
    "Седов",
    "Фирсов",
    "Андрианов",
    "Панфилов",
    "Головин",
    "Терехов",
    "Ульянов",
    "Шестаков",
    "Агеев",
    "Никонов",
    "Селиванов",
    "Баженов",
    "Гордеев",
    "Кожевников",
    "Пахомов",
    "Зимин",
    "Костин",
    "Широков",
    "Филимонов",
    "Ларионов",
    "Овсянников",
    "Сазонов",
    "Суворов",
    "Нефёдов",
    "Корнилов",
    "Любимов",
    "Львов",
    "Горбачёв",
    "Копылов",
    "Лукин",
    "Токарев",
    "Кулешов",
    "Шилов",
    "Большаков",
    "Панкратов",
    "Родин",
    "Шаповалов",
    "Покровский",
    "Бочаров",
    "Никольский",
    "Маркин",
    "Горелов",
    "Агафонов",
    "Берёзин",
    "Ермолаев",
    "Зубков",
    "Куприянов",
    "Трифонов",
    "Масленников",
    "Круглов",
    "Третьяков",
]
_FAMILIES = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Miller",
    "Davis",
    "Wilson",
    "Anderson",
    "Taylor",
    "Thomas",
    "Moore",
    "Martin",
    "Jackson",
    "Thompson",
    "White",
    "Harris",
    "Clark",
    "Lewis",
    "Robinson",
    "Walker",
    "Hall",
    "Young",
    "King",
    "Wright",
    "Scott",
    "Green",
    "Baker",
    "Adams",
    "Nelson",
    "Carter",
    "Mitchell",
    "Roberts",
    "Turner",
    "Phillips",
    "Campbell",
    "Parker",
    "Evans",
    "Edwards",
    "Collins",
    "Stewart",
    "Morris",
    "Rogers",
    "Reed",
    "Cook",
    "Morgan",
    "Bell",
    "Murphy",
    "Bailey",
    "Cooper",
    "Richardson",
    "Cox",
    "Howard",
    "Ward",
    "Peterson",
    "Gray",
    "Watson",
    "Brooks",
    "Kelly",
    "Sanders",
    "Price",
    "Bennett",
    "Wood",
    "Barnes",
    "Ross",
    "Henderson",
    "Coleman",
    "Jenkins",
    "Perry",
    "Powell",
    "Long",
    "Patterson",
    "Hughes",
    "Flores",
    "Washington",
    "Butler",
    "Simmons",
    "Foster",
    "Bryant",
    "Russell",
    "Griffin",
    "Hayes",
    "Myers",
    "Ford",
    "Hamilton",
    "Graham",
    "Sullivan",
    "Wallace",
    "Cole",
    "West",
    "Owens",
    "Reynolds",
    "Fisher",
    "Ellis",
    "Harrison",
    "Gibson",
    "Mcdonald",
    "Marshall",
    "Murray",
    "Freeman",
    "Wells",
    "Webb",
    "Simpson",
    "Stevens",
    "Tucker",
    "Porter",
    "Hunter",
    "Hicks",
    "Crawford",
    "Henry",
    "Boyd",
    "Mason",
    "Kennedy",
    "Warren",
    "Dixon",
    "Burns",
    "Gordon",
    "Shaw",
    "Holmes",
    "Rice",
    "Robertson",
    "Hunt",
    "Black",
    "Daniels",
    "Palmer",
    "Mills",
    "Nichols",
    "Grant",
    "Knight",
    "Ferguson",
    "Stone",
    "Hawkins",
    "Dunn",
    "Perkins",
    "Hudson",
    "Spencer",
    "Gardner",
    "Stephens",
    "Payne",
    "Pierce",
    "Berry",
    "Matthews",
    "Arnold",
    "Wagner",
    "Willis",
    "Ray",
    "Watkins",
    "Olson",
    "Carroll",
    "Duncan",
    "Snyder",
    "Hart",
    "Cunningham",
    "Lane",
    "Andrews",
    "Harper",
    "Fox",
    "Riley",
    "Armstrong",
    "Carpenter",
    "Weaver",
    "Greene",
    "Elliott",
    "Chavez",
    "Sims",
    "Austin",
    "Peters",
    "Kelley",
    "Franklin",
    "Lawson",
    "Fields",
    "Ryan",
    "Schmidt",
    "Carr",
    "Wheeler",
    "Chapman",
    "Oliver",
    "Montgomery",
    "Richards",
    "Williamson",
    "Johnston",
    "Banks",
    "Meyer",
    "Bishop",
    "Mccoy",
    "Howell",
    "Morrison",
    "Hansen",
    "Garza",
    "Harvey",
    "Little",
    "Burton",
    "Stanley",
    "George",
    "Jacobs",
    "Reid",
    "Fuller",
    "Lynch",
    "Dean",
    "Gilbert",
    "Garrett",
    "Welch",
    "Larson",
    "Frazier",
    "Burke",
    "Hanson",
    "Mendoza",
    "Moreno",
    "Bowman",
    "Brewer",
    "Fowler",
]
_FIRST = [
    "Север",
    "Вектор",
    "Гранит",
    "Альта",
    "Берег",
    "Заря",
    "Исток",
    "Кедр",
    "Луч",
    "Маяк",
    "Нева",
    "Орион",
    "Полёт",
    "Радуга",
    "Сокол",
    "Титан",
    "Ураган",
    "Факел",
    "Форт",
    "Янтарь",
]
_SECOND = ["Логистика", "Снаб", "Транс", "Торг", "Комплект", "Строй", "Маркет", "Пром", "Техно", "Фарм"]
_FIRST_EN = [
    "Amber",
    "Birch",
    "Copper",
    "Delta",
    "Elm",
    "Fjord",
    "Granite",
    "Harbour",
    "Iron",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Mason",
    "North",
    "Oak",
    "Pine",
    "Quartz",
    "Ridge",
    "Slate",
    "Tern",
]
_SECOND_EN = [
    "Freight",
    "Storage",
    "Parts",
    "Supply",
    "Foods",
    "Cargo",
    "Digital",
    "Systems",
    "Partners",
    "Labs",
]
_STREETS = [
    "Ленина",
    "Мира",
    "Садовая",
    "Лесная",
    "Советская",
    "Новая",
    "Заводская",
    "Набережная",
    "Полевая",
    "Школьная",
    "Гагарина",
    "Пушкина",
    "Кирова",
    "Победы",
    "Южная",
]
_STREETS_EN = [
    "High",
    "Station",
    "Church",
    "Victoria",
    "Green",
    "Manor",
    "Kings",
    "Queens",
    "Mill",
    "Park",
    "School",
    "York",
    "London",
    "Albert",
    "North",
]
_TOWNS = ("Москва", "Казань", "Самара", "Пермь", "Омск", "Тула", "Томск", "Уфа", "Сочи", "Курск")
_TOWNS_EN = ("London", "Leeds", "York", "Bath", "Bristol", "Oxford", "Derby", "Hull", "Dover", "Luton")

_HOSTS_RU = ("gmail.com", "mail.ru", "yandex.ru")
_HOSTS_EN = ("gmail.com", "yahoo.com", "outlook.com")
_taken: set[str] = set()

# Four ways of writing Russian in Latin letters: passports since 2013, British (BGN), everyday, German.
_SCHEMES = (
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "ie", "y", "_", "e", "iu", "ia"], strict=True)),
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", ["a", "b", "v", "g", "d", "e", "yo", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "_", "y", "_", "e", "yu", "ya"], strict=True)),
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "h", "c", "ch", "sh", "sch", "_", "y", "_", "e", "yu", "ya"], strict=True)),
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", ["a", "b", "w", "g", "d", "e", "jo", "sch", "s", "i", "j", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "ch", "z", "tsch", "sch", "schtsch", "_", "y", "_", "e", "ju", "ja"], strict=True)),
)  # fmt: skip
_ENGLISH_IN_RUSSIAN = {
    "William": "Уильям", "Michael": "Майкл", "James": "Джеймс", "John": "Джон", "Robert": "Роберт", "David": "Дэвид", "Thomas": "Томас",
    "Daniel": "Дэниел", "Matthew": "Мэтью", "Andrew": "Эндрю", "Peter": "Питер", "Emma": "Эмма", "Victoria": "Виктория", "George": "Джордж",
}  # fmt: skip


@dataclass(frozen=True)
class _Human:
    is_russian: bool
    given: str
    patronymic: str
    surname: str
    short: str
    born: date
    mobile: str
    home_phone: str
    office_phone: str
    work_email: str
    own_email: str
    company: str
    street: str
    town: str
    postcode: str
    is_namesake: bool = False


def make(people: int, copies: int, seed: int, *, heavy: bool = False) -> Labelled:
    """`people` humans, one record each, and `copies` more records of some; `heavy` leaves less to go by."""
    dice = random.Random(seed)
    _taken.clear()
    humans: list[_Human] = []
    companies = [_company(dice) for _ in range(max(people // 12, 1))]
    while len(humans) < people:
        human = _human(dice, companies)
        humans.append(human)
        if dice.random() < 0.12:
            family = [_relative(dice, human, companies) for _ in range(dice.choice((1, 1, 2)))]
            if any(relative.is_namesake for relative in family):
                humans[-1] = replace(human, is_namesake=True)
            humans += family
    humans = humans[:people]
    records = [_written(dice, human, f"a{n}", heavy=heavy, is_copy=False) for n, human in enumerate(humans)]
    person_of = {record.id: n for n, record in enumerate(records)}
    for number in range(copies):
        n = dice.randrange(people)
        copy = _written(dice, humans[n], f"b{number}", heavy=heavy, is_copy=True)
        person_of[copy.id] = n
        records.append(copy)
    dice.shuffle(records)
    return Labelled(records, person_of)


def _company(dice: random.Random) -> tuple[str, bool, str, str]:
    """(name, is Russian, domain, office phone)."""
    is_russian = dice.random() < 0.5
    number = dice.choice(("", "", f" {dice.randint(2, 99)}"))
    if is_russian:
        name = dice.choice(_FIRST) + dice.choice(("", " ", "-")) + dice.choice(_SECOND) + number
        domain = _latin(name, _SCHEMES[2]).lower().replace(" ", "").replace("-", "") + ".ru"
        return name, True, domain, f"+7495{dice.randint(1000000, 9999999)}"
    name = f"{dice.choice(_FIRST_EN)} {dice.choice(_SECOND_EN)}{number}"
    return name, False, name.lower().replace(" ", "") + ".com", f"+4420{dice.randint(70000000, 79999999)}"


def _human(dice: random.Random, companies: list[tuple[str, bool, str, str]]) -> _Human:
    company, is_russian, domain, office = dice.choice(companies)
    if is_russian:
        is_man = dice.random() < 0.55
        given, short = dice.choice(list((_MEN if is_man else _WOMEN).items()))
        surname = _gendered(_spelt(_zipf(dice, _ROOTS)), is_man=is_man)
        patronymic = _patronymic(dice.choice(list(_MEN)), is_man=is_man)
        street, town = (
            f"ул. {dice.choice(_STREETS)}, д. {dice.randint(1, 150)}, кв. {dice.randint(1, 200)}",
            dice.choice(_TOWNS),
        )
        mobile, home = f"+79{dice.randint(10**8, 10**9 - 1)}", f"+7499{dice.randint(10**6, 10**7 - 1)}"
        postcode = str(dice.randint(101000, 190000))
    else:
        given, short = dice.choice(list(_ENGLISH.items()))
        surname, patronymic = _zipf(dice, _FAMILIES), ""
        street, town = f"{dice.randint(1, 250)} {dice.choice(_STREETS_EN)} Street", dice.choice(_TOWNS_EN)
        mobile, home = f"+447{dice.randint(4 * 10**8, 6 * 10**8)}", f"+44113{dice.randint(2000000, 4999999)}"
        postcode = f"{dice.choice('BLMNSW')}{dice.randint(1, 20)} {dice.randint(1, 9)}{dice.choice('ABDEFG')}{dice.choice('HJLNPQ')}"
    born = date(1950, 1, 1) + timedelta(days=dice.randint(0, 19_000))
    work, own = _addresses(dice, given, surname, born, domain, is_russian=is_russian)
    return _Human(
        is_russian, given, patronymic, surname, short, born, mobile, home, office, work, own, company,
        street, town, postcode,
    )  # fmt: skip


def _addresses(
    dice: random.Random, given: str, surname: str, born: date, domain: str, *, is_russian: bool
) -> tuple[str, str]:
    """An address at work and an own one; no two people have the same."""
    first, last = _latin(given, _SCHEMES[2]).lower(), _latin(surname, _SCHEMES[2]).lower()
    work = dice.choice((f"{first[0]}.{last}", f"{first}.{last}", last, first))
    own = dice.choice((f"{first}{last}", f"{last}.{first}", f"{first[0]}{last}"))
    own += dice.choice(("", str(born.year), str(dice.randint(1, 99))))
    host = dice.choice(_HOSTS_RU if is_russian else _HOSTS_EN)
    return _untaken(dice, work, domain), _untaken(dice, own, host)


def _untaken(dice: random.Random, local: str, host: str) -> str:
    """The first free address: who comes second gets a number."""
    number = ""
    while f"{local}{number}@{host}" in _taken:
        number = str(dice.randint(2, 999))
    _taken.add(f"{local}{number}@{host}")
    return f"{local}{number}@{host}"


def _relative(dice: random.Random, human: _Human, companies: list[tuple[str, bool, str, str]]) -> _Human:
    """A son, daughter, wife or brother: the same surname, address and telephone at home."""
    other = _human(dice, [one for one in companies if one[1] == human.is_russian] or companies)
    is_man = other.patronymic.endswith("ич") if other.patronymic else True
    surname = human.surname
    if human.is_russian and other.is_russian:
        surname = _gendered(
            human.surname.removesuffix("а") if not human.patronymic.endswith("ич") else human.surname,
            is_man=is_man,
        )
    kind = dice.random()
    gap = (
        timedelta(days=dice.randint(18 * 365, 42 * 365))
        if kind < 0.6
        else timedelta(days=dice.randint(400, 3_000))
    )
    born = human.born + (gap if human.born.year < 1985 else -gap)
    given = human.given if kind < 0.1 and is_man else other.given
    short = human.short if given == human.given else other.short
    patronymic = (
        _patronymic(human.given, is_man=is_man)
        if human.is_russian and kind < 0.6 and human.given in _MEN
        else other.patronymic
    )
    is_colleague = dice.random() < 0.2
    domain = (human if is_colleague else other).work_email.partition("@")[2]
    work, own = _addresses(dice, given, surname, born, domain, is_russian=human.is_russian)
    return replace(
        other, given=given, short=short, surname=surname, patronymic=patronymic, born=born, street=human.street,
        town=human.town, postcode=human.postcode, home_phone=human.home_phone, work_email=work, own_email=own, is_namesake=given == human.given, is_russian=human.is_russian,
        company=human.company if is_colleague else other.company,
        office_phone=human.office_phone if is_colleague else other.office_phone,
    )  # fmt: skip


def _written(dice: random.Random, human: _Human, name: str, *, heavy: bool, is_copy: bool) -> Person:
    """One record of somebody as one source has it: never only a name."""
    keep = 0.45 if heavy else 0.65
    given, surname = human.given, human.surname
    draw = dice.random()
    if human.is_russian and draw < 0.3:
        scheme = dice.choice(_SCHEMES)
        given, surname = _latin(given, scheme), _latin(surname, scheme)
    elif not human.is_russian and draw < 0.05 and given in _ENGLISH_IN_RUSSIAN:
        given = _ENGLISH_IN_RUSSIAN[given]
    elif draw < 0.45:
        given = human.short
    elif draw < 0.65 and human.patronymic:
        given = f"{given} {human.patronymic}"
    if dice.random() < 0.12:
        surname = _typo(dice, surname)
    if dice.random() < 0.06:
        given = _typo(dice, given)
    if dice.random() < 0.04:
        given, surname = surname, given
    phones = tuple(
        p
        for p, often in ((human.mobile, keep), (human.home_phone, 0.15), (human.office_phone, 0.15))
        if dice.random() < often
    )
    emails = tuple(
        e
        for e, often in ((human.work_email, keep * 0.8), (human.own_email, keep * 0.6))
        if dice.random() < often
    )
    # who bears a relative's whole name is told apart by the date of birth, so it is never left out
    is_dated = human.is_namesake or dice.random() < keep * 0.6
    born = human.born.strftime("%d.%m.%Y" if human.is_russian else "%Y-%m-%d") if is_dated else ""
    has_address = dice.random() < keep * 0.6
    if not born and not has_address and len(emails) + (human.mobile in phones) < 2:
        phones = tuple(dict.fromkeys((human.mobile, *phones)))
        emails = emails or (human.own_email if dice.random() < 0.3 else human.work_email,)
    return Person(
        id=name, given_name=given, surname=surname, date_of_birth=born,
        phones=tuple(_dialled(dice, phone) for phone in phones), emails=tuple(_mailed(dice, email) for email in emails),
        company=_firm(dice, human) if dice.random() < 0.75 else "", street=human.street if has_address else "",
        suburb=human.town if has_address or dice.random() < 0.3 else "", postcode=human.postcode if has_address else "",
    )  # fmt: skip


def _dialled(dice: random.Random, phone: str) -> str:
    if dice.random() < 0.02:
        phone = phone[:-1] + dice.choice("0123456789")
    if phone.startswith("+7") and dice.random() < 0.4:
        return f"8 ({phone[2:5]}) {phone[5:8]}-{phone[8:10]}-{phone[10:]}"
    return dice.choice((phone, f"{phone[:3]} {phone[3:6]} {phone[6:]}"))


def _mailed(dice: random.Random, email: str) -> str:
    if dice.random() < 0.02:
        return _typo(dice, email.partition("@")[0]) + "@" + email.partition("@")[2]
    if email.endswith("@gmail.com") and dice.random() < 0.15:
        return email.replace("@", "+crm@")
    return email.upper() if dice.random() < 0.05 else email


def _firm(dice: random.Random, human: _Human) -> str:
    name = human.company
    if any("а" <= letter <= "я" for letter in name.lower()):
        return dice.choice(
            (
                name,
                f"ООО «{name}»",
                f'ООО "{name}"',
                _latin(name, _SCHEMES[dice.choice((1, 2))]) + dice.choice(("", " LLC")),
            )
        )
    return dice.choice((name, f"{name} Ltd", f"{name} LLC", f"{name}, Inc.", name.upper()))


def _latin(text: str, scheme: dict[str, str]) -> str:
    spelled = "".join(
        scheme.get(letter.lower(), letter) if letter.lower() in scheme else letter for letter in text
    )
    return spelled.replace("_", "").title() if text[:1].isupper() else spelled.replace("_", "")


def _spelt(root: str) -> str:
    return root if root.endswith(("ов", "ев", "ёв", "ин", "ий")) else root + "ов"


def _gendered(surname: str, *, is_man: bool) -> str:
    if is_man:
        return surname
    return surname.removesuffix("ий") + "ая" if surname.endswith("ий") else surname + "а"


def _patronymic(father: str, *, is_man: bool) -> str:
    if father.endswith("ий"):
        stem = father[:-2] + "ь"
        return stem + ("евич" if is_man else "евна")
    if father.endswith(("й", "ь")):
        return father[:-1] + ("евич" if is_man else "евна")
    if father.endswith(("а", "я")):
        return father[:-1] + ("ич" if is_man else "инична")
    return father + ("ович" if is_man else "овна")


def _zipf(dice: random.Random, values: list[str]) -> str:
    return values[int(len(values) * dice.random() ** 1.6)]


def _typo(dice: random.Random, text: str) -> str:
    if len(text) < 3:
        return text
    place = dice.randrange(1, len(text) - 1)
    return dice.choice((
        text[:place] + text[place + 1 :],
        text[:place] + text[place] + text[place:],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
        text[:place] + dice.choice("аеионрст" if "а" <= text[1].lower() <= "я" else "aeionrst") + text[place + 1 :],
    ))  # fmt: skip
