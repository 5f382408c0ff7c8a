"""Decides what a burst needs: an answer, a person, or nothing."""

from agents.inbox.contract import Case, HandOff, TriageAnswer
from agents.llm.offline.intents import NOTHING_NEAR, Intent, Nearness, Part, read_burst
from agents.llm.offline.phrases import say
from core.languages import language_of

# Any of these in a burst calls for a person, in this order.
_NOTIFY = {
    Intent.UNSUBSCRIBE: "customer_request",
    Intent.COMPLAINT: "policy_restriction",
    Intent.HUMAN: "customer_request",
}
_IGNORED = frozenset({Intent.THANKS, Intent.AUTO_REPLY})


def triage(case: Case, near: Nearness = NOTHING_NEAR) -> TriageAnswer:
    """Judge the burst as a whole."""
    burst = [message.text for message in case.new_messages]
    language = language_of(" ".join(burst), case.contact.language)
    parts = read_burst(burst, language, near)
    intents = tuple(dict.fromkeys(part.intent.value for part in parts))
    for intent, reason in _NOTIFY.items():
        part = next((part for part in parts if part.intent is intent), None)
        if part is not None:
            hand_off = HandOff.model_validate(
                {
                    "reason": reason,
                    "summary": say(
                        language, f"handoff.{intent}", name=case.contact.name or "?", quote=part.text[:200]
                    ),
                    "next_step": say(language, f"handoff.{intent}_next"),
                }
            )
            return TriageAnswer(decision="notify", language=language, intents=intents, hand_off=hand_off)
    decision = "ignore" if _is_nothing(case, parts) else "answer"
    return TriageAnswer(decision=decision, language=language, intents=intents)


def _is_nothing(case: Case, parts: list[Part]) -> bool:
    """Thanks and automatic replies ask for nothing, unless a file came or a colleague wants a new draft."""
    if case.feedback or any(message.files for message in case.new_messages):
        return False
    intents = {part.intent for part in parts}
    if Intent.AUTO_REPLY in intents:
        return intents <= _IGNORED | {Intent.OTHER, Intent.GREETING, Intent.WRONG_PERSON}
    return intents <= _IGNORED
