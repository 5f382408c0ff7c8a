"""What the agent tells colleagues when it stops for a reason of its own, in the language of the conversation."""

from dataclasses import replace

from agents.context import Thread
from agents.inbox.state import Stop
from crm.conversations.models import HandoffReason
from tools.base import ToolResult

_MODEL = {
    "en": ("The agent could not write an answer: {why}.", "Answer in person; the message is in the thread."),
    "ru": ("Агент не смог подготовить ответ: {why}.", "Ответить лично, сообщение есть в переписке."),
}
_REFUSED = {
    "en": (
        "The agent wrote an answer and may not propose it: {why}",
        "Answer in person, or change what the seat may do.",
    ),
    "ru": (
        "Агент подготовил ответ, но предложить его не может: {why}",
        "Ответить лично или изменить права агента.",
    ),
}
_BUDGET = {
    "en": (
        "The agent stopped before it had an answer: {why}.",
        "Answer in person; raise the limit if this repeats.",
    ),
    "ru": ("Агент остановился, не закончив ответ: {why}.", "Ответить лично; если повторится, поднять лимит."),
}
_ENOUGH = {
    "en": (
        "The agent has answered {why} times in a row here, and nobody of ours has looked. Another machine may be writing.",
        "Read along and write once, or approve the next draft; then the agent goes on.",
    ),
    "ru": (
        "Агент ответил здесь {why} раз подряд, и никто из коллег не заглядывал. Возможно, пишет другая программа.",
        "Прочитать переписку и написать самому или одобрить следующий черновик: после этого агент продолжит.",
    ),
}
_BROKEN = {
    "en": ("The agent failed: {why}.", "Answer in person; the run says what went wrong."),
    "ru": ("Сбой агента: {why}.", "Ответить лично; подробности в записи о запуске."),
}


def model_failed(thread: Thread, why: str) -> Stop:
    """The model gave nothing usable, twice."""
    return _stop(_MODEL, HandoffReason.TOOL_FAILURE, thread.contact.language, why)


def refused(thread: Thread, result: ToolResult) -> Stop:
    """The draft could not be proposed."""
    is_policy = result.code in ("denied", "forbidden", "asked")
    reason = HandoffReason.POLICY_RESTRICTION if is_policy else HandoffReason.TOOL_FAILURE
    return _stop(_REFUSED, reason, thread.contact.language, result.error)


def out_of_budget(language: str, why: str) -> Stop:
    """The run used up what it may use."""
    return _stop(_BUDGET, HandoffReason.USAGE_LIMIT, language, why)


def answered_enough(thread: Thread) -> Stop:
    """It has answered by itself as often in a row as it may."""
    stop = _stop(_ENOUGH, HandoffReason.USAGE_LIMIT, thread.contact.language, str(thread.answers_alone))
    return replace(stop, is_failure=False)


def broken(language: str, why: str) -> Stop:
    """The run failed for another reason."""
    return _stop(_BROKEN, HandoffReason.TOOL_FAILURE, language, why)


def _stop(texts: dict[str, tuple[str, str]], reason: HandoffReason, language: str, why: str) -> Stop:
    summary, next_step = texts.get(language, texts["en"])
    return Stop(reason.value, summary.format(why=why), next_step, is_failure=True)
