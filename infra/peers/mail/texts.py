"""The words of the prospect's mail page in both languages."""

_TEXTS: dict[str, tuple[str, str]] = {
    "title": ("Mail of {name}", "Почта: {name}"),
    "you_are": ("You are the prospect", "Вы — клиент"),
    "intro": (
        "This is the mailbox of a person who writes to {to}, over a real SMTP and IMAP server on this machine.",
        "Это почтовый ящик человека, который пишет на {to}, на настоящем сервере SMTP и IMAP этой машины.",
    ),
    "intro_2": (
        "An agent drafts a reply; it comes back here, in the same thread, once somebody approves it.",
        "Агент готовит ответ; он придёт сюда, в ту же переписку, когда его одобрят.",
    ),
    "open_inbox": ("Open the inbox", "Открыть входящие"),
    "telegram": ("Write in Telegram instead", "Написать в Telegram"),
    "subject": ("Subject; empty to answer the last mail", "Тема; пусто — ответ на последнее письмо"),
    "message": ("Mail", "Письмо"),
    "send": ("Send", "Отправить"),
    "empty": ("No mail yet", "Писем пока нет"),
    "empty_hint": ("Write the first one, or take an example.", "Напишите первое или возьмите пример."),
    "away": ("The mail server is starting", "Почтовый сервер запускается"),
    "try": ("Write for example", "Напишите, например"),
    "offline": ("No connection, trying again", "Нет связи, пробуем снова"),
    "new_below": ("New mail", "Новое письмо"),
    "language": ("Русский", "English"),
    "menu": ("More", "Ещё"),
}
SUGGESTIONS = {
    "en": ("Hi! How much is it for 40 scanners?", "Does it work offline?"),
    "ru": ("Здравствуйте! Сколько стоит на 50 человек?", "А без связи работает?"),
}


def words(language: str) -> dict[str, str]:
    """Every text of the page in one language."""
    return {name: pair[language == "ru"] for name, pair in _TEXTS.items()}
