"""When somebody asks us to stop: decided by their words alone, before any agent reads them."""

import re

# A whole message, not a part of one: "stop by on Thursday" is not a request to stop.
_STOP = {
    "stop", "unsubscribe", "stop writing", "stop writing to me", "stop messaging me", "do not contact me",
    "dont contact me", "do not write to me", "dont write to me", "remove me", "remove me from your list",
    "стоп", "отпишите", "отпишите меня", "отписаться", "отписка", "не пишите", "не пишите мне", "больше не пишите",
    "не пишите больше", "не пишите мне больше", "больше не пишите мне", "удалите мой номер", "удалите меня",
}  # fmt: skip


def asks_to_stop(text: str) -> bool:
    """Whether the message is nothing but a request not to be written to, in English or Russian."""
    words = re.sub(r"[^\w\s/]", "", text.casefold().replace("ё", "е")).lstrip("/")
    plain = " ".join(word for word in words.split() if word not in {"please", "пожалуйста"})
    return plain in _STOP
