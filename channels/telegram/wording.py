"""What stands in the thread for a message without words, in the contact's language."""

from core.languages import Language

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


def say(what: str, language: Language, **values: str) -> str:
    english, russian = _TEXTS[what]
    return (russian if language == "ru" else english).format(**values)
