"""What people of the demo decided about the agent's drafts, so that one kind of message is earned from the start."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from core import clock
from core.db import Tx
from crm.drafts.models import DraftStatus
from crm.drafts.past import PastDecision, add_past_decisions
from events.ids import BidiId, ConversationId, UserId

# The first decision is this old, the last of yesterday.
_SPAN = timedelta(days=42)
_YESTERDAY = timedelta(days=1)


@dataclass(frozen=True)
class Talk:
    """A past conversation with somebody, in their language."""

    conversation_id: ConversationId
    given: str
    language: str


async def add_decisions(tx: Tx, bidi_id: BidiId, talks: Sequence[Talk], deciders: Sequence[UserId]) -> None:
    """Spread the decisions of decisions.toml evenly over the weeks, the talks and who decides."""
    data = tomllib.loads((Path(__file__).parent / "decisions.toml").read_text())
    for intent in data["intents"]:
        await add_past_decisions(tx, bidi_id, _decisions(intent, talks, deciders))


def _decisions(
    intent: dict[str, Any], talks: Sequence[Talk], deciders: Sequence[UserId]
) -> list[PastDecision]:
    count, turns, people = intent["decided"], cycle(talks), cycle(deciders)
    began, step = clock.now() - _SPAN, (_SPAN - _YESTERDAY) / count
    return [
        _decision(intent, number, next(turns), next(people), began + number * step) for number in range(count)
    ]


def _decision(
    intent: dict[str, Any], number: int, talk: Talk, decided_by: UserId, at: datetime
) -> PastDecision:
    """The first ones were those that were not accepted: the agent has learned since."""
    texts = intent[talk.language]
    body = texts[number % len(texts)].format(given=talk.given)
    is_rejected = number < intent["rejected"]
    is_edited = not is_rejected and number < intent["rejected"] + intent["edited"]
    return PastDecision(
        talk.conversation_id,
        intent["name"],
        intent[f"edit_{talk.language}"].format(given=talk.given) if is_edited else body,
        talk.language,
        decided_by,
        at,
        DraftStatus.REJECTED if is_rejected else DraftStatus.APPROVED,
        original=body if is_edited else None,
        reason=intent["reason"] if is_rejected else "",
    )
