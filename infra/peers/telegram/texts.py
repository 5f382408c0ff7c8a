"""The words of the prospect's page in both languages."""

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Chat with {bot}", "Чат с {bot}"),
    "you_are": ("You are the prospect", "Вы — клиент"),
    "intro": (
        "This is the other side of the conversation: the Telegram of a person who writes to {bot}.",
        "Это другая сторона разговора: Telegram человека, который пишет в {bot}.",
    ),
    "intro_2": (
        "What you send arrives in GetSale as a real Telegram message. An agent drafts a reply; "
        "it comes back here once somebody approves it.",
        "Отправленное придёт в GetSale настоящим сообщением Telegram. Агент готовит ответ; "
        "он появится здесь, когда его одобрят.",
    ),
    "open_inbox": ("Open the inbox", "Открыть входящие"),
    "by_mail": ("Write by mail instead", "Написать по почте"),
    "try": ("Write for example", "Напишите, например"),
    "try_other": ("Or in Russian", "Или по-английски"),
    "bot": ("bot", "бот"),
    "typing": ("typing…", "печатает…"),
    "blocked": ("You blocked this bot. It cannot write to you.", "Бот заблокирован. Он не может вам писать."),
    "unblock": ("Unblock", "Разблокировать"),
    "block": ("Block the bot", "Заблокировать бота"),
    "menu": ("Who you are and what you can do", "Кто вы и что можно сделать"),
    "chats": ("Who you are", "Кто вы"),
    "new_person": ("Somebody else", "Кто-то другой"),
    "new_name": ("Their name", "Имя"),
    "become": ("Start their chat", "Начать чат"),
    "share_contact": ("Share my phone number", "Отправить мой номер"),
    "attach": ("Attach a file", "Прикрепить файл"),
    "send_file": ("Send the file", "Отправить файл"),
    "message": ("Message", "Сообщение"),
    "send": ("Send", "Отправить"),
    "edit": ("Edit", "Изменить"),
    "editing": ("Editing your message", "Правка сообщения"),
    "cancel": ("Cancel", "Отмена"),
    "save": ("Save", "Сохранить"),
    "edited": ("edited", "изменено"),
    "empty": ("No messages yet", "Сообщений пока нет"),
    "empty_hint": (
        "Write the first line, or take one of the examples.",
        "Напишите что-нибудь или возьмите пример.",
    ),
    "sent": ("Sent, GetSale has not taken it yet", "Отправлено, GetSale ещё не забрал"),
    "delivered": ("GetSale has it", "GetSale получил"),
    "my_number": ("My phone number", "Мой номер"),
    "photo": ("Photo", "Фото"),
    "offline": ("No connection, trying again", "Нет связи, пробуем снова"),
    "new_below": ("New message", "Новое сообщение"),
    "too_long": ("Longer than 4096 characters; it was not sent.", "Длиннее 4096 знаков; не отправлено."),
    "language": ("Русский", "English"),
    "as": ("you are {name}", "вы — {name}"),
}
SUGGESTIONS = {
    "en": (
        "Hi! How much is it for 40 scanners?",
        "Does it work offline?",
        "Can we talk on Thursday?",
        "I want to talk to a person",
    ),
    "ru": (
        "Здравствуйте! Сколько стоит на 50 человек?",
        "А без связи работает?",
        "Можно созвониться в четверг?",
        "Позовите, пожалуйста, человека",
    ),
}


def words(language: str) -> dict[str, str]:
    """Every text of the page in one language."""
    return {name: pair[language == "ru"] for name, pair in _TEXTS.items()}


def pick_language(wanted: str, accept_language: str) -> str:
    """The language asked for in the address, else the browser's first one."""
    if wanted in SUGGESTIONS:
        return wanted
    return "ru" if accept_language.lower().startswith("ru") else "en"


def size_text(size_bytes: int, language: str) -> str:
    units = ("Б", "КБ", "МБ") if language == "ru" else ("B", "kB", "MB")
    if size_bytes < 1024:
        return f"{size_bytes}\u00a0{units[0]}"
    if size_bytes < 1024**2:
        return f"{size_bytes // 1024}\u00a0{units[1]}"
    return f"{size_bytes / 1024**2:.1f}\u00a0{units[2]}"
