"""What stands in the thread for a message without words, in the contact's language."""

from typing import Literal

Language = Literal["en", "ru"]

_TEXTS: dict[str, tuple[str, str]] = {
    "photo": ("[Photo]", "[Фото]"),
    "document": ("[File: {name}]", "[Файл: {name}]"),
    "voice": ("[Voice message, {length}]", "[Голосовое сообщение, {length}]"),
    "audio": ("[Audio: {name}]", "[Аудио: {name}]"),
    "video": ("[Video, {length}]", "[Видео, {length}]"),
    "video_note": ("[Video message, {length}]", "[Видеосообщение, {length}]"),
    "animation": ("[Animation]", "[Анимация]"),
    "sticker": ("[Sticker {emoji}]", "[Стикер {emoji}]"),
    "dice": ("[{emoji} {value}]", "[{emoji} {value}]"),
    "own_contact": ("Shared their phone number: {phone}", "Номер телефона: {phone}"),
    "contact": ("Shared a contact: {name}, {phone}", "Контакт: {name}, {phone}"),
    "location": ("[Location: {latitude}, {longitude}]", "[Геопозиция: {latitude}, {longitude}]"),
    "venue": ("[Place: {title}, {address}]", "[Место: {title}, {address}]"),
    "poll": ("[Poll: {question}]", "[Опрос: {question}]"),
    "unknown": (
        "[Message of a kind not shown here: {kind}]",
        "[Сообщение, которое здесь не показать: {kind}]",
    ),
    "forwarded": ("[Forwarded message]", "[Пересланное сообщение]"),
}
_CYRILLIC_ENOUGH = 3
_LATIN_ENOUGH = 12


def say(what: str, language: Language, **values: str) -> str:
    english, russian = _TEXTS[what]
    return (russian if language == "ru" else english).format(**values)


def language_of(text: str, language_code: str) -> Language:
    """What the person writes in; where the letters do not tell, what their Telegram is set to."""
    cyrillic = sum("а" <= letter <= "я" or letter == "ё" for letter in text.lower())
    latin = sum("a" <= letter <= "z" for letter in text.lower())
    if cyrillic >= _CYRILLIC_ENOUGH and cyrillic >= latin / 2:
        return "ru"
    if latin >= _LATIN_ENOUGH:
        return "en"
    return "ru" if language_code.lower().startswith("ru") else "en"
